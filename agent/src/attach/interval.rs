//! Intervals: a clock on one CPU.

use std::os::fd::BorrowedFd;

use super::{Attachment, Reason, source};
use crate::sys::perf::{self, Rate};

/// Attaches to a clock that fires every so many nanoseconds.
pub fn attach(program: BorrowedFd<'_>, nanoseconds: u64) -> Result<Attachment, Reason> {
    source::attach(program, perf::clock(Rate::Nanoseconds(nanoseconds), source::first_cpu()?)?)
}
