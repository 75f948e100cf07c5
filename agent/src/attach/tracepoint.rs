//! Tracepoints through perf: the program sees the tracepoint's record.

use std::fs;
use std::os::fd::BorrowedFd;

use super::{Attachment, Reason, source};
use crate::sys::perf;
use crate::tracefs;

/// Attaches to `category:event`.
pub fn attach(program: BorrowedFd<'_>, category: &str, event: &str) -> Result<Attachment, Reason> {
    let path = tracefs::event(category, event)?.join("id");
    let id = fs::read_to_string(path).map_err(|_| Reason::NoTracepoint)?;
    let id = id.trim().parse().map_err(|_| Reason::NoTracepoint)?;
    source::attach(program, perf::tracepoint(id, source::first_cpu()?)?)
}
