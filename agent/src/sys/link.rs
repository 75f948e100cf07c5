//! Attaching programs: links, and the older ways where the kernel has none.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use aya_obj::generated::{bpf_attach_type, bpf_cmd};
use bpf::program::AttachType;

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

/// Attaches a tracing program to the function it was loaded for. Closing the result detaches it.
///
/// Kernel 5.5.
pub fn tracing(program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut attr = attr();
    attr.raw_tracepoint.prog_fd = program.as_raw_fd() as u32;
    // SAFETY: without a name this command reads no memory of ours.
    let fd = unsafe { call(bpf_cmd::BPF_RAW_TRACEPOINT_OPEN, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Where in functions [`kprobe_multi`] attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Functions {
    /// At their entry.
    Entries,
    /// At their return.
    Returns,
    /// At both. Kernel 6.10.
    Both,
}

/// Attaches a program to many kernel functions.
///
/// Kernel 5.18.
pub fn kprobe_multi(program: BorrowedFd<'_>, functions: &[&str], way: Functions) -> io::Result<OwnedFd> {
    let names = functions.iter().map(|name| CString::new(*name)).collect::<Result<Vec<_>, _>>()?;
    let addresses: Vec<u64> = names.iter().map(|name| name.as_ptr() as u64).collect();
    // SAFETY: the C strings outlive the call.
    unsafe { kprobe_multi_by(program, &addresses, way) }
}

/// Whether the kernel knows such links. Nothing is attached: it is shown a name at an address that cannot be read, which only a kernel that
/// looks for names complains about.
pub fn knows_kprobe_multi(program: BorrowedFd<'_>, way: Functions) -> bool {
    const NOTHING_THERE: u64 = 8;
    // SAFETY: the kernel does not get beyond reading the name, and fails where that is not there.
    let refused = unsafe { kprobe_multi_by(program, &[NOTHING_THERE], way) };
    refused.is_err_and(|error| error.raw_os_error() == Some(libc::EFAULT))
}

/// # Safety
/// Each of `names` must be the address of a C string, or of nothing.
unsafe fn kprobe_multi_by(program: BorrowedFd<'_>, names: &[u64], way: Functions) -> io::Result<OwnedFd> {
    let mut attr = attr();
    attr.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd() as u32;
    attr.link_create.attach_type = match way {
        Functions::Both => AttachType::KprobeSession,
        Functions::Entries | Functions::Returns => AttachType::KprobeMulti,
    } as u32;
    attr.link_create.__bindgen_anon_3.kprobe_multi.flags = if way == Functions::Returns { MULTI_RETURN } else { 0 };
    attr.link_create.__bindgen_anon_3.kprobe_multi.cnt = names.len() as u32;
    attr.link_create.__bindgen_anon_3.kprobe_multi.syms = names.as_ptr() as u64;
    // SAFETY: the list outlives the call; what it points to is the caller's promise.
    let fd = unsafe { call(bpf_cmd::BPF_LINK_CREATE, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// A place in a file for [`uprobe_multi`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserPlace {
    /// Bytes from the start of the file.
    pub offset: u64,
    /// Where the file has a counter of listeners, or 0.
    pub semaphore: u64,
}

/// Attaches a program to many places of a file, or with `ret` to the return of the functions that start there; with `pid` as far as that
/// process reaches them.
///
/// Kernel 6.6.
pub fn uprobe_multi(
    program: BorrowedFd<'_>,
    path: &Path,
    places: &[UserPlace],
    ret: bool,
    pid: Option<u32>,
) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_encoded_bytes())?;
    let offsets: Vec<u64> = places.iter().map(|place| place.offset).collect();
    let semaphores: Vec<u64> = places.iter().map(|place| place.semaphore).collect();
    let counted = semaphores.iter().any(|semaphore| *semaphore != 0);
    let mut attr = attr();
    attr.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd() as u32;
    attr.link_create.attach_type = bpf_attach_type::BPF_TRACE_UPROBE_MULTI as u32;
    // Field by field: padding of a whole struct would be written over bytes that newer kernels give a meaning.
    attr.link_create.__bindgen_anon_3.uprobe_multi.path = path.as_ptr() as u64;
    attr.link_create.__bindgen_anon_3.uprobe_multi.offsets = offsets.as_ptr() as u64;
    attr.link_create.__bindgen_anon_3.uprobe_multi.ref_ctr_offsets =
        if counted { semaphores.as_ptr() as u64 } else { 0 };
    attr.link_create.__bindgen_anon_3.uprobe_multi.cnt = offsets.len() as u32;
    attr.link_create.__bindgen_anon_3.uprobe_multi.flags = if ret { MULTI_RETURN } else { 0 };
    attr.link_create.__bindgen_anon_3.uprobe_multi.pid = pid.unwrap_or(0);
    // SAFETY: the path and both lists outlive the call and are as long as the block says.
    let fd = unsafe { call(bpf_cmd::BPF_LINK_CREATE, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// `BPF_F_KPROBE_MULTI_RETURN`, `BPF_F_UPROBE_MULTI_RETURN`
const MULTI_RETURN: u32 = 1;

/// Attaches an iterator's program; nothing runs before it is read through.
///
/// Kernel 5.8.
pub fn iterator(program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut attr = attr();
    attr.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd() as u32;
    attr.link_create.attach_type = bpf_attach_type::BPF_TRACE_ITER as u32;
    // SAFETY: this variant of the block holds no address.
    let fd = unsafe { call(bpf_cmd::BPF_LINK_CREATE, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// One walk of an attached iterator: reading it to its end runs the program for each object.
///
/// Kernel 5.8.
pub fn walk(link: BorrowedFd<'_>) -> io::Result<File> {
    let mut attr = attr();
    attr.iter_create.link_fd = link.as_raw_fd() as u32;
    // SAFETY: this variant of the block holds no address.
    let fd = unsafe { call(bpf_cmd::BPF_ITER_CREATE, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
}

fn set_bpf(program: BorrowedFd<'_>, event: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: this ioctl takes a descriptor by value and touches no memory of ours.
    let result = unsafe { libc::ioctl(event.as_raw_fd(), PERF_EVENT_IOC_SET_BPF, program.as_raw_fd()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
