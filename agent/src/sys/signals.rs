//! Signals as a file descriptor, so that one poll(2) waits for them and for events alike.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Signals of this process that no longer interrupt it but wait here to be read.
#[derive(Debug)]
pub struct Signals {
    fd: OwnedFd,
}

impl Signals {
    /// Blocks `signals` in this thread, and in those it starts from now on, and collects them.
    ///
    /// They stay blocked when the result is dropped: a signal that arrived unread must not kill the process then.
    pub fn collect(signals: &[libc::c_int]) -> io::Result<Self> {
        // SAFETY: `sigset_t` is a C struct of integers.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` is valid; sigaddset checks the numbers.
        unsafe {
            libc::sigemptyset(&raw mut set);
            for signal in signals {
                if libc::sigaddset(&raw mut set, *signal) != 0 {
                    return Err(io::Error::last_os_error());
                }
            }
        }
        // SAFETY: `set` is initialised; the old mask is not asked for.
        let error = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error));
        }
        // SAFETY: `set` is initialised.
        let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just made this descriptor for us.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// The next signal that has arrived, if one has.
    pub fn next(&self) -> Option<libc::c_int> {
        let mut bytes = [0u8; size_of::<libc::signalfd_siginfo>()];
        let read = rustix::io::read(&self.fd, &mut bytes).ok()?;
        let number = bytes.first_chunk::<4>()?;
        (read == bytes.len()).then(|| u32::from_ne_bytes(*number) as libc::c_int)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }
}
