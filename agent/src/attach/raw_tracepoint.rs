//! Tracepoints in their raw form: no record is built, and attaching and detaching are quick.

use std::io;
use std::os::fd::BorrowedFd;

use super::{Attachment, Reason};
use crate::sys::link;

/// Attaches to the raw form of all system calls, at their entry or at their end.
pub fn syscalls(program: BorrowedFd<'_>, exit: bool) -> Result<Attachment, Reason> {
    attach(program, if exit { "sys_exit" } else { "sys_enter" })
}

/// Attaches to the raw tracepoint `event`; its category plays no part.
pub fn attach(program: BorrowedFd<'_>, event: &str) -> Result<Attachment, Reason> {
    match link::raw_tracepoint(program, event) {
        Ok(link) => Ok(Attachment { link: Some(link), event: None }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Reason::NoTracepoint),
        Err(error) => Err(error.into()),
    }
}
