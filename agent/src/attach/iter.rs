//! Iterators: the program runs for each object while the walk is read to its end, once.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::{Attachment, Reason};
use crate::sys::link;

/// Attaches an iterator and walks it through.
pub fn walk(program: BorrowedFd<'_>) -> Result<Attachment, Reason> {
    let link = link::iterator(program)?;
    // The programs write nothing there; a read that returns nothing says that the last object was seen.
    io::copy(&mut link::walk(link.as_fd())?, &mut io::sink())?;
    Ok(Attachment { link: Some(link), event: None })
}
