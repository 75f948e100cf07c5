//! Places of programs and libraries: a function's entry or return, any instruction, a static marker.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::path::Path;

use lang::compiled::Attach;

use super::{Attachment, Reason, source};
use crate::sys::link::{self, UserPlace};
use crate::sys::perf::{self, Probe};

/// A place in a file.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The executable or library.
    pub path: &'a str,
    /// Bytes into the file, and its counter of listeners.
    pub at: UserPlace,
    /// Whether to fire on return.
    pub ret: bool,
}

impl<'a> Place<'a> {
    /// The place an attach point names, if it is one in a file.
    pub fn of(point: &'a Attach) -> Option<Self> {
        match point {
            Attach::Uprobe { path, offset, ret, semaphore, .. } => {
                Some(Self { path, at: UserPlace { offset: *offset, semaphore: *semaphore }, ret: *ret })
            }
            _ => None,
        }
    }
}

/// Attaches to a place in a file, in one process or in all that map it.
pub fn one(program: BorrowedFd<'_>, place: &Place<'_>, pid: Option<u32>) -> Result<Attachment, Reason> {
    let source = source::find("uprobe")?;
    let on_return = if place.ret { source.on_return } else { 0 };
    let probe = Probe {
        source: source.kind,
        // The counter's place takes the upper half. Kernel 4.20.
        config: on_return | place.at.semaphore << 32,
        target: Path::new(place.path),
        offset: place.at.offset,
        pid,
    };
    source::attach(program, perf::probe(&probe, source::first_cpu()?)?)
}

/// Attaches to many places with one link for each file, in one process or in all that map it. The program must have been loaded for that.
pub fn many(program: BorrowedFd<'_>, places: &[Place<'_>], pid: Option<u32>) -> Result<Vec<Attachment>, Reason> {
    let mut files: BTreeMap<(&str, bool), Vec<UserPlace>> = BTreeMap::new();
    for place in places {
        files.entry((place.path, place.ret)).or_default().push(place.at);
    }
    let attach = |((path, ret), places): ((&str, bool), Vec<UserPlace>)| {
        let link = link::uprobe_multi(program, Path::new(path), &places, ret, pid)?;
        Ok(Attachment { link: Some(link), event: None })
    };
    files.into_iter().map(attach).collect()
}
