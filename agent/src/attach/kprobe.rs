//! Kernel functions by their addresses: entry, any instruction, return.

use std::os::fd::BorrowedFd;
use std::path::Path;

use lang::compiled::Attach;

use super::{Attachment, Reason, source};
use crate::sys::link::{self, Functions};
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
    let way = if ret { Functions::Returns } else { Functions::Entries };
    Ok(Attachment { link: Some(link::kprobe_multi(program, &names(points), way)?), event: None })
}

/// Attaches to the entry and the return of many functions with one link; the points are those of the entries. The program must have been
/// loaded for that.
pub fn sessions(program: BorrowedFd<'_>, points: &[Attach]) -> Result<Attachment, Reason> {
    Ok(Attachment { link: Some(link::kprobe_multi(program, &names(points), Functions::Both)?), event: None })
}

fn names(points: &[Attach]) -> Vec<&str> {
    points
        .iter()
        .filter_map(|point| match point {
            Attach::Kprobe { function, .. } | Attach::Kretprobe { function } => Some(function.as_str()),
            _ => None,
        })
        .collect()
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
    let opened = perf::probe(&probe, source::first_cpu()?).map_err(|error| Reason::of_kprobe(function, error))?;
    source::attach(program, opened)
}
