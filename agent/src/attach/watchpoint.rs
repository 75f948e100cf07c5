//! Watchpoints: accesses to memory, by the processor's debug registers.

use std::io;
use std::os::fd::BorrowedFd;

use lang::compiled::Access;

use super::{Attachment, Reason, source};
use crate::sys::perf;

/// `HW_BREAKPOINT_R`, `_W` and `_X` of the kernel.
const READ: u32 = 1;
const WRITE: u32 = 2;
const EXECUTE: u32 = 4;

/// Attaches to accesses to memory of one process, in all its threads, or of whatever runs on each CPU.
pub fn attach(
    program: BorrowedFd<'_>,
    address: u64,
    length: u64,
    access: Access,
    pid: Option<u32>,
) -> Result<Vec<Attachment>, Reason> {
    let bit = |wanted, bit| if wanted { bit } else { 0 };
    // The processor cannot tell reads apart from writes: who watches reads sees both.
    let kind = bit(access.read, READ | WRITE) | bit(access.write, WRITE) | bit(access.execute, EXECUTE);
    // For execution the kernel wants the length of an address.
    let length = if access.execute { size_of::<usize>() as u64 } else { length };
    let open = |cpu, thread| {
        let event = perf::watchpoint(address, length, kind, cpu, thread).map_err(explain)?;
        source::attach(program, event)
    };
    match pid {
        Some(pid) => source::threads(pid)?.into_iter().map(|thread| open(None, Some(thread))).collect(),
        None => source::online_cpus()?.into_iter().map(|cpu| open(Some(cpu), None)).collect(),
    }
}

fn explain(error: io::Error) -> Reason {
    match error.raw_os_error() {
        Some(libc::ENOSPC) => Reason::NoDebugRegister,
        _ => error.into(),
    }
}
