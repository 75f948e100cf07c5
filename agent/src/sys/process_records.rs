//! What processes map, as the kernel records it while it happens: a perf event on each CPU that counts nothing, with a buffer.
//!
//! Kernel 4.1.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use aya_obj::generated::{perf_event_attr, perf_event_mmap_page, perf_event_sample_format, perf_sw_ids, perf_type_id};

use super::perf;

/// Bytes of a buffer, beside the page that tells how far it is written and read: room for some 500 pieces of code.
const BUFFER: usize = 1 << 16;

/// The records of one CPU.
#[derive(Debug)]
pub struct Records {
    event: OwnedFd,
    start: *mut libc::c_void,
    /// Bytes of a page, which come before the buffer.
    page: usize,
}

// SAFETY: the memory is the kernel's and ours, whoever of our threads reads it.
unsafe impl Send for Records {}

impl Records {
    /// Has the kernel record from now on what is mapped to be executed, who is forked, and who executes something else.
    ///
    /// # Errors
    /// Where the kernel refuses, as `perf_event_paranoid` may have it do.
    pub fn of(cpu: u32) -> io::Result<Self> {
        let mut attr = perf::attr(perf_type_id::PERF_TYPE_SOFTWARE as u32, perf_sw_ids::PERF_COUNT_SW_DUMMY as u64);
        wanted(&mut attr);
        let event = perf::open(&attr, None, cpu)?;
        let page = rustix::param::page_size();
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of a perf event's buffer, of a size such buffers have, at an address the kernel chooses.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), page + BUFFER, protection, libc::MAP_SHARED, event.as_raw_fd(), 0)
        };
        match start {
            libc::MAP_FAILED => Err(io::Error::last_os_error()),
            start => Ok(Self { event, start, page }),
        }
    }

    /// The records that have arrived, back to back: each a `struct perf_event_header` and what belongs to it, last the time in
    /// nanoseconds of the monotonic clock.
    pub fn read(&mut self) -> Vec<u8> {
        let page = self.start.cast::<perf_event_mmap_page>();
        // SAFETY: the page is mapped as long as `self` lives; the kernel and we change these two words as atomic ones.
        let (written, read) = unsafe {
            (
                AtomicU64::from_ptr(std::ptr::addr_of_mut!((*page).data_head)),
                AtomicU64::from_ptr(std::ptr::addr_of_mut!((*page).data_tail)),
            )
        };
        let end = written.load(Ordering::Acquire);
        let from = read.load(Ordering::Relaxed);
        // SAFETY: the buffer lies behind the page; the kernel does not write to the part between the two positions.
        let buffer = unsafe { std::slice::from_raw_parts(self.start.cast::<u8>().add(self.page), BUFFER) };
        let records = (from..end).map(|position| buffer[position as usize % BUFFER]).collect();
        read.store(end, Ordering::Release);
        records
    }
}

/// What is recorded, and that whoever waits is woken when the buffer is half full.
fn wanted(attr: &mut perf_event_attr) {
    attr.set_mmap(1);
    attr.set_mmap2(1);
    attr.set_comm(1);
    attr.set_comm_exec(1);
    attr.set_task(1);
    attr.set_sample_id_all(1);
    attr.sample_type = perf_event_sample_format::PERF_SAMPLE_TIME as u64;
    // Clocks of different CPUs may differ, this one does not.
    attr.set_use_clockid(1);
    attr.clockid = libc::CLOCK_MONOTONIC;
    attr.set_watermark(1);
    attr.__bindgen_anon_2.wakeup_watermark = BUFFER as u32 / 2;
}

impl AsFd for Records {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody borrows from it any more.
        unsafe { libc::munmap(self.start, self.page + BUFFER) };
    }
}
