//! Perf events that programs attach to: tracepoints, the CPU clock, kprobes and uprobes.
//!
//! Every event is opened counting and without a sample buffer: only the program attached to it sees it.

use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;

use aya_obj::generated::{perf_event_attr, perf_sw_ids, perf_type_id};

/// How often a clock event fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Times per second; the kernel adapts the period, and caps it at `kernel.perf_event_max_sample_rate`.
    Hertz(u64),
    /// Nanoseconds from one to the next.
    Nanoseconds(u64),
}

/// A dynamic probe to make.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// The `type` of the kernel's `kprobe` or `uprobe` event source.
    pub source: u32,
    /// The `config` bit that makes it fire on return, or 0.
    pub config: u64,
    /// A kernel function's name, or a file's path; empty for an address of the kernel, which is the offset then.
    pub target: &'a Path,
    /// Bytes into the function or the file.
    pub offset: u64,
    /// Only this process; everybody where absent.
    pub pid: Option<u32>,
}

/// Opens a tracepoint by the id in its `format` file. One event sees every CPU: programs run wherever it fires.
///
/// Kernel 4.7 for programs on tracepoints.
pub fn tracepoint(id: u32, cpu: u32) -> io::Result<OwnedFd> {
    let mut attr = attr(perf_type_id::PERF_TYPE_TRACEPOINT as u32, u64::from(id));
    attr.__bindgen_anon_1.sample_period = 1;
    open(&attr, None, cpu)
}

/// Opens a clock that fires on one CPU, whatever runs there.
///
/// Kernel 4.9 for programs on it.
pub fn clock(rate: Rate, cpu: u32) -> io::Result<OwnedFd> {
    let mut attr = attr(perf_type_id::PERF_TYPE_SOFTWARE as u32, perf_sw_ids::PERF_COUNT_SW_CPU_CLOCK as u64);
    match rate {
        Rate::Hertz(frequency) => {
            attr.__bindgen_anon_1.sample_freq = frequency;
            attr.set_freq(1);
        }
        Rate::Nanoseconds(period) => attr.__bindgen_anon_1.sample_period = period,
    }
    open(&attr, None, cpu)
}

/// Opens a counter that fires each `period` of an event, on one CPU or in one thread, and what it starts, wherever that runs.
///
/// Kernel 4.9 for programs on it.
pub fn counter(kind: Counter, event: u64, period: u64, cpu: Option<u32>, thread: Option<u32>) -> io::Result<OwnedFd> {
    let kind = match kind {
        Counter::Software => perf_type_id::PERF_TYPE_SOFTWARE,
        Counter::Hardware => perf_type_id::PERF_TYPE_HARDWARE,
    };
    let mut attr = attr(kind as u32, event);
    attr.__bindgen_anon_1.sample_period = period;
    if thread.is_some() {
        attr.set_inherit(1);
    }
    open_at(&attr, thread, cpu)
}

/// Opens a watchpoint on one CPU, or in one thread wherever it runs; `length` is in bytes.
///
/// Kernel 4.9 for programs on it.
pub fn watchpoint(
    address: u64,
    length: u64,
    access: u32,
    cpu: Option<u32>,
    thread: Option<u32>,
) -> io::Result<OwnedFd> {
    let mut attr = attr(perf_type_id::PERF_TYPE_BREAKPOINT as u32, 0);
    attr.__bindgen_anon_2.wakeup_events = 1;
    attr.__bindgen_anon_1.sample_period = 1;
    attr.bp_type = access;
    attr.__bindgen_anon_3.bp_addr = address;
    attr.__bindgen_anon_4.bp_len = length;
    if thread.is_some() {
        // Threads and processes that it starts later are watched too.
        attr.set_inherit(1);
    }
    open_at(&attr, thread, cpu)
}

/// Who counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// The kernel.
    Software,
    /// The processor.
    Hardware,
}

/// Opens a kprobe, kretprobe, uprobe or uretprobe.
///
/// Kernel 4.17.
pub fn probe(probe: &Probe<'_>, cpu: u32) -> io::Result<OwnedFd> {
    let target = CString::new(probe.target.as_os_str().as_encoded_bytes())?;
    let mut attr = attr(probe.source, probe.config);
    attr.__bindgen_anon_3.config1 = if target.is_empty() { 0 } else { target.as_ptr() as u64 };
    attr.__bindgen_anon_4.config2 = probe.offset;
    open(&attr, probe.pid, cpu)
}

/// The attributes of an event, else empty.
pub(super) fn attr(kind: u32, config: u64) -> perf_event_attr {
    // SAFETY: the struct holds integers and unions of integers; all zero bytes are a value of each.
    let mut attr: perf_event_attr = unsafe { std::mem::zeroed() };
    attr.type_ = kind;
    attr.size = size_of::<perf_event_attr>() as u32;
    attr.config = config;
    attr
}

/// Opens an event on one CPU, or on all of them for one process.
pub(super) fn open(attr: &perf_event_attr, pid: Option<u32>, cpu: u32) -> io::Result<OwnedFd> {
    open_at(attr, pid, pid.is_none().then_some(cpu))
}

/// Opens an event on one CPU or on all of them, for one process or for all. At least one of the two is wanted.
fn open_at(attr: &perf_event_attr, pid: Option<u32>, cpu: Option<u32>) -> io::Result<OwnedFd> {
    let pid = pid.map_or(-1, |pid| pid as libc::pid_t);
    let cpu = cpu.map_or(-1, |cpu| cpu as libc::c_int);
    let group: libc::c_int = -1;
    // SAFETY: the attributes, and the C string they point to for a probe, are valid for the call; the kernel checks `size`.
    let fd = unsafe {
        libc::syscall(libc::SYS_perf_event_open, std::ptr::from_ref(attr), pid, cpu, group, PERF_FLAG_FD_CLOEXEC)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Kernel 3.14.
const PERF_FLAG_FD_CLOEXEC: libc::c_ulong = 1 << 3;
