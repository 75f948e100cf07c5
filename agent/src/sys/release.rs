//! Closing descriptors that take long to close.
//!
//! Two closes wait for every CPU to have left what they take down, some 10 to 40 ms each. A link's wait holds no lock: many of
//! them wait together. The last close of a perf event on a tracepoint or a probe waits under a lock of the kernel, one after the
//! other, whatever threads do it: so that is left to another process. Its program is detached before; nothing runs there any more.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// How many links wait at once.
const TOGETHER: usize = 64;

/// Closes links, all in about the time of one. Returns when all are closed.
pub fn close_together(mut links: Vec<OwnedFd>) {
    if links.len() <= 1 {
        return;
    }
    let share = links.len().div_ceil(TOGETHER);
    std::thread::scope(|scope| {
        while !links.is_empty() {
            let chunk = links.split_off(links.len().saturating_sub(share));
            // Where no thread can be had the closure is dropped here, and its links with it.
            let _ = std::thread::Builder::new().spawn_scoped(scope, move || drop(chunk));
        }
    });
}

/// Hands `descriptors` to a child process that closes them by ending, so that closing them here is quick.
///
/// The child holds nothing else open, runs no code of this program but its own end, and becomes an orphan at once: nobody has
/// to wait for it.
pub fn hand_off(descriptors: Vec<OwnedFd>) -> io::Result<()> {
    if descriptors.is_empty() {
        return Ok(());
    }
    // The child ends when this pipe does, that is after the descriptors are closed here: the last close is the slow one.
    let (here_until, closed_here) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let mut keep: Vec<i32> = descriptors.iter().chain([&here_until]).map(AsRawFd::as_raw_fd).collect();
    keep.sort_unstable();
    // SAFETY: between fork and _exit the children make system calls only, which is allowed whatever other threads held.
    match unsafe { libc::fork() } {
        -1 => return Err(io::Error::last_os_error()),
        0 => {
            // SAFETY: as above; `_exit` runs no destructors.
            unsafe {
                if libc::fork() == 0 {
                    close_all_but(&keep);
                    let _ = rustix::io::read(&here_until, &mut [0u8; 1]);
                }
                libc::_exit(0)
            }
        }
        child => {
            // SAFETY: the child is ours and ends at once; its status is not asked for.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        }
    }
    drop(descriptors);
    drop(closed_here);
    Ok(())
}

/// Closes every descriptor that is not in `keep`, which is sorted. Kernel 5.9; without it the child holds what it inherited
/// until it ends.
fn close_all_but(keep: &[i32]) {
    let mut from = 0;
    for &fd in keep.iter().chain([&i32::MAX]) {
        if from < fd {
            // SAFETY: closes numbers of this process, which is about to end and uses none of them.
            unsafe { libc::syscall(libc::SYS_close_range, from as libc::c_uint, (fd - 1) as libc::c_uint, 0) };
        }
        from = fd.saturating_add(1);
    }
}
