//! Events that perf counts, in software or in the processor: on every CPU that is online now, or in every thread of
//! one process.

use std::io;
use std::os::fd::BorrowedFd;

use super::{Attachment, Reason, source};
use crate::sys::perf::{self, Counter};

/// Attaches to each `period` of an event.
pub fn attach(
    program: BorrowedFd<'_>,
    kind: Counter,
    event: u64,
    period: u64,
    pid: Option<u32>,
) -> Result<Vec<Attachment>, Reason> {
    let open = |cpu, thread| match perf::counter(kind, event, period, cpu, thread) {
        Ok(fd) => source::attach(program, fd),
        Err(error) if kind == Counter::Hardware && is_absent(&error) => Err(Reason::NoCounter),
        Err(error) => Err(error.into()),
    };
    match pid {
        Some(pid) => source::threads(pid)?.into_iter().map(|thread| open(None, Some(thread))).collect(),
        None => source::online_cpus()?.into_iter().map(|cpu| open(Some(cpu), None)).collect(),
    }
}

/// Without a unit that counts the kernel knows no such event.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EOPNOTSUPP | libc::ENODEV))
}
