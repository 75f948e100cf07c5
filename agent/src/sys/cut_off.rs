//! Mapped files that are cut short while they are looked at.
//!
//! The kernel sends SIGBUS to whoever reads what is no longer there. Programs and their debug files belong to others, who may overwrite
//! them at any time, and that must not end this process: what was cut off reads as zeroes instead. Corrupt files are dealt with anyway.

use std::io;
use std::mem::MaybeUninit;
use std::sync::{Once, OnceLock};

/// `BUS_ADRERR`: there is nothing behind this address any more.
const NOTHING_THERE: libc::c_int = 2;

/// What handled SIGBUS before, and what cannot be asked for in a handler: the size of a page.
static BEFORE: OnceLock<(libc::sigaction, usize)> = OnceLock::new();

/// From now on reading what was cut off a mapped file yields zeroes, in this whole process and whoever mapped it.
pub fn read_as_zeroes() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        if let Err(error) = handle() {
            tracing::debug!(%error, "a file that is cut short while it is read will end this process");
        }
    });
}

fn handle() -> io::Result<()> {
    let mut before = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action this writes the present one.
    if unsafe { libc::sigaction(libc::SIGBUS, std::ptr::null(), before.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above has written it.
    let before = unsafe { before.assume_init() };
    let _ = BEFORE.set((before, rustix::param::page_size()));
    // SAFETY: the struct holds integers and an address that may be absent; all zero bytes are a value of each.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = fill;
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler makes system calls only, and those are allowed in one.
    match unsafe { libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Puts a page of zeroes where nothing is any more. Any other fault is left to who handled it before: it happens again at once.
extern "C" fn fill(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let Some((before, page)) = BEFORE.get() else { return };
    // SAFETY: the kernel passes a valid block that tells of this signal, in which the address of a fault is.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr() as usize) };
    if code == NOTHING_THERE {
        let start = (address & !(page - 1)) as *mut libc::c_void;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: the page is mapped already and cannot be read: nothing that anybody relies on is lost.
        if unsafe { libc::mmap(start, *page, libc::PROT_READ, flags, -1, 0) } != libc::MAP_FAILED {
            return;
        }
    }
    // SAFETY: the action is the one that was in force before.
    unsafe { libc::sigaction(signal, before, std::ptr::null_mut()) };
}
