//! User functions: entry, any instruction, return.
//!
//! The kernel wants an offset into the file: a function's comes from the file's symbol table. A file may be named as the dynamic
//! linker or the shell would find it: `libc`, `bash`.

use std::os::fd::BorrowedFd;
use std::path::Path;

use blazesym::inspect::Inspector;
use blazesym::inspect::source::{Elf, Source};

use super::{Attachment, Reason, library, source};
use crate::sys::perf::{self, Probe};

/// A place in a file.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The executable or library.
    pub path: &'a str,
    /// The function; the file itself where absent.
    pub function: Option<&'a str>,
    /// Bytes into the function or the file.
    pub offset: u64,
    /// Whether to fire on return.
    pub ret: bool,
}

/// Attaches to a place in a file, in one process or in all that map it.
pub fn attach(program: BorrowedFd<'_>, place: &Place<'_>, pid: Option<u32>) -> Result<Attachment, Reason> {
    let source = source::find("uprobe")?;
    let path = library::find(place.path).ok_or_else(|| Reason::NoFile(place.path.to_owned()))?;
    let start = match place.function {
        Some(function) => file_offset(&path, function)?,
        None => 0,
    };
    let probe = Probe {
        source: source.kind,
        config: if place.ret { source.on_return } else { 0 },
        target: &path,
        offset: start + place.offset,
        pid,
    };
    source::attach(program, perf::probe(&probe, source::first_cpu()?)?)
}

/// Where a function begins in its file.
fn file_offset(path: &Path, function: &str) -> Result<u64, Reason> {
    let no_function = || Reason::NoFunction(format!("{} has no function {function}", path.display()));
    let inspector = Inspector::new();
    let found = inspector
        .lookup(&Source::Elf(Elf::new(path)), &[function])
        .map_err(|error| Reason::NoFunction(format!("{}: {error}", path.display())))?;
    found.first().and_then(|symbols| symbols.first()).and_then(|symbol| symbol.file_offset).ok_or_else(no_function)
}
