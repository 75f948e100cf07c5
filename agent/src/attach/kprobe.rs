//! Kernel functions: entry, any instruction, return.

use std::os::fd::BorrowedFd;
use std::path::Path;

use super::{Attachment, Reason, source};
use crate::sys::perf::{self, Probe};

/// Attaches `offset` bytes into a kernel function.
pub fn entry(program: BorrowedFd<'_>, function: &str, offset: u64) -> Result<Attachment, Reason> {
    attach(program, function, offset, false)
}

/// Attaches to a kernel function's return.
pub fn exit(program: BorrowedFd<'_>, function: &str) -> Result<Attachment, Reason> {
    attach(program, function, 0, true)
}

fn attach(program: BorrowedFd<'_>, function: &str, offset: u64, ret: bool) -> Result<Attachment, Reason> {
    let source = source::find("kprobe")?;
    let config = if ret { source.on_return } else { 0 };
    let probe = Probe { source: source.kind, config, target: Path::new(function), offset, pid: None };
    source::attach(program, perf::probe(&probe, source::first_cpu()?)?)
}
