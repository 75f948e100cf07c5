//! Profiles: a clock on every CPU that is online now.

use std::os::fd::BorrowedFd;

use lang::compiled::SampleRate;

use super::{Attachment, Reason, source};
use crate::sys::perf::{self, Rate};

/// Attaches to a clock of each CPU.
pub fn attach(program: BorrowedFd<'_>, rate: SampleRate) -> Result<Vec<Attachment>, Reason> {
    let rate = match rate {
        SampleRate::Hertz(frequency) => Rate::Hertz(frequency),
        SampleRate::Nanoseconds(period) => Rate::Nanoseconds(period),
    };
    let open = |cpu| source::attach(program, perf::clock(rate, cpu)?);
    source::online_cpus()?.into_iter().map(open).collect()
}
