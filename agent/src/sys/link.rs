//! Attaching programs: links, and the older ways where the kernel has none.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use aya_obj::generated::{bpf_attach_type, bpf_cmd};

use super::bpf::{attr, call};

/// `PERF_EVENT_IOC_SET_BPF`: `_IOW('$', 8, __u32)`.
const PERF_EVENT_IOC_SET_BPF: libc::c_ulong = 0x4004_2408;

/// Attaches a raw tracepoint program to the tracepoint called `name`. Closing the result detaches it.
///
/// Kernel 4.17.
pub fn raw_tracepoint(program: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    let name = CString::new(name)?;
    let mut attr = attr();
    attr.raw_tracepoint.name = name.as_ptr() as u64;
    attr.raw_tracepoint.prog_fd = program.as_raw_fd() as u32;
    // SAFETY: the name is a C string that outlives the call.
    let fd = unsafe { call(bpf_cmd::BPF_RAW_TRACEPOINT_OPEN, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Attaches a program to a perf event. The link, where the kernel makes one, detaches the program when it is closed, at
/// once; without one, closing the event does, and waits for every CPU.
///
/// Links: kernel 5.15. `cookie` needs one and is what `bpf_get_attach_cookie` returns.
pub fn perf_event(program: BorrowedFd<'_>, event: BorrowedFd<'_>, cookie: Option<u64>) -> io::Result<Option<OwnedFd>> {
    let mut attr = attr();
    attr.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd() as u32;
    attr.link_create.__bindgen_anon_2.target_fd = event.as_raw_fd() as u32;
    attr.link_create.attach_type = bpf_attach_type::BPF_PERF_EVENT as u32;
    attr.link_create.__bindgen_anon_3.perf_event.bpf_cookie = cookie.unwrap_or(0);
    // SAFETY: this variant of the block holds no address.
    match unsafe { call(bpf_cmd::BPF_LINK_CREATE, &mut attr) } {
        // SAFETY: the kernel just made this descriptor for us.
        Ok(fd) => Ok(Some(unsafe { OwnedFd::from_raw_fd(fd as i32) })),
        Err(error) if cookie.is_none() && error.raw_os_error() == Some(libc::EINVAL) => {
            set_bpf(program, event).map(|()| None)
        }
        Err(error) => Err(error),
    }
}

fn set_bpf(program: BorrowedFd<'_>, event: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: this ioctl takes a descriptor by value and touches no memory of ours.
    let result = unsafe { libc::ioctl(event.as_raw_fd(), PERF_EVENT_IOC_SET_BPF, program.as_raw_fd()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
