//! The bpf(2) system call itself.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use aya_obj::generated::{bpf_attr, bpf_cmd};

/// An argument block with every field zero, as the kernel wants the unused ones.
pub(super) fn attr() -> bpf_attr {
    // SAFETY: `bpf_attr` is a C union of integers and of structs of integers; all zero bytes are a value of each.
    unsafe { std::mem::zeroed() }
}

/// Calls bpf(2).
///
/// # Safety
/// Every address in `attr` that `cmd` reads or writes must be valid for it, for as long as the call lasts.
pub(super) unsafe fn call(cmd: bpf_cmd, attr: &mut bpf_attr) -> io::Result<i64> {
    let size = size_of::<bpf_attr>();
    // SAFETY: `attr` is valid for `size` bytes; the addresses in it are the caller's promise.
    let result = unsafe { libc::syscall(libc::SYS_bpf, cmd as libc::c_long, std::ptr::from_mut(attr), size) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Asks what `object`, a program, a map, a link or types, is.
///
/// Kernel 4.13.
///
/// # Safety
/// `T` must be what the kernel calls the information about such an object, and every address in `info` valid for as much as `info` says.
pub(super) unsafe fn describe<T>(object: BorrowedFd<'_>, info: &mut T) -> io::Result<()> {
    let mut attr = attr();
    attr.info.bpf_fd = object.as_raw_fd() as u32;
    attr.info.info_len = size_of::<T>() as u32;
    attr.info.info = std::ptr::from_mut(info) as u64;
    // SAFETY: `info` outlives the call; what it points to is the caller's promise.
    unsafe { call(bpf_cmd::BPF_OBJ_GET_INFO_BY_FD, &mut attr) }?;
    Ok(())
}

/// The address of `bytes` as bpf(2) takes it.
pub(super) fn address(bytes: &[u8]) -> u64 {
    bytes.as_ptr() as u64
}

/// The address of `bytes` as bpf(2) takes it, for results.
pub(super) fn address_mut(bytes: &mut [u8]) -> u64 {
    bytes.as_mut_ptr() as u64
}
