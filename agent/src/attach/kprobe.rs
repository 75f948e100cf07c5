//! Kernel functions by their addresses: entry, any instruction, return.

use std::os::fd::BorrowedFd;
use std::path::Path;

use lang::compiled::Attach;

use super::{Attachment, Reason, source};
use crate::sys::link;
use crate::sys::perf::{self, Probe};

/// Attaches `offset` bytes into a kernel function.
pub fn entry(program: BorrowedFd<'_>, function: &str, offset: u64) -> Result<Attachment, Reason> {
    attach(program, function, offset, false)
}

/// Attaches to a kernel function's return.
pub fn exit(program: BorrowedFd<'_>, function: &str) -> Result<Attachment, Reason> {
    attach(program, function, 0, true)
}

/// Attaches to many functions with one link. The program must have been loaded for that, and all points be of one kind.
pub fn many(program: BorrowedFd<'_>, points: &[Attach]) -> Result<Attachment, Reason> {
    let ret = points.iter().any(|point| matches!(point, Attach::Kretprobe { .. }));
    let name = |point: &'_ Attach| match point {
        Attach::Kprobe { function, .. } | Attach::Kretprobe { function } => Some(function.clone()),
        _ => None,
    };
    let names: Vec<String> = points.iter().filter_map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(Attachment { link: Some(link::kprobe_multi(program, &names, ret)?), event: None })
}

fn attach(program: BorrowedFd<'_>, function: &str, offset: u64, ret: bool) -> Result<Attachment, Reason> {
    let source = source::find("kprobe")?;
    let config = if ret { source.on_return } else { 0 };
    // A number in place of a name is an address.
    let (target, offset) = match function.parse::<u64>() {
        Ok(address) => ("", address),
        Err(_) => (function, offset),
    };
    let probe = Probe { source: source.kind, config, target: Path::new(target), offset, pid: None };
    source::attach(program, perf::probe(&probe, source::first_cpu()?)?)
}
