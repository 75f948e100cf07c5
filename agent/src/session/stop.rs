//! Ends a session from another thread.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};

/// Asks a session to end; wakes it if it waits. Clones ask the same session.
#[derive(Clone, Debug)]
pub struct StopHandle {
    event: Arc<OwnedFd>,
}

impl StopHandle {
    pub(super) fn new() -> std::io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event: Arc::new(event) })
    }

    /// Asks once and for all.
    pub fn stop(&self) {
        // Fails only when it was asked 2^64 times: it will end all the same.
        let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
    }
}

impl AsFd for StopHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
