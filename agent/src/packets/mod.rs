//! Packets that scripts hand over (`skboutput`): read from the kernel's buffers here, written to files by [`capture`].
//!
//! They come through buffers of their own, one for each CPU: the helper that takes packets fills no ring buffer.

mod capture;

use std::os::fd::{AsFd, BorrowedFd};

use aya::maps::perf::{PerfBufferError, PerfEvent, PerfEventArrayBuffer};
use aya::maps::{MapData, MapError};

use crate::attach::source::online_cpus;
use crate::sys::map::Map;

pub use capture::{CaptureError, Captures};

/// Pages of each CPU's buffer, as many as the ring buffer of a script that prints has for all CPUs together.
const PAGES: usize = 256;

/// Why the buffers cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PacketsError {
    /// The map is of another kind.
    #[error(transparent)]
    Map(#[from] MapError),
    /// A buffer could not be made.
    #[error(transparent)]
    Buffer(#[from] PerfBufferError),
    /// Which CPUs there are is not known.
    #[error(transparent)]
    Cpus(#[from] std::io::Error),
}

/// The buffers of a script's packets.
pub struct Packets {
    buffers: Vec<PerfEventArrayBuffer<MapData>>,
}

impl Packets {
    /// Makes a buffer for each CPU, and puts it into the map.
    pub fn open(map: Map) -> Result<Self, PacketsError> {
        let mut array = map.into_perf_events()?;
        let mut buffers = Vec::new();
        for cpu in online_cpus()? {
            buffers.push(array.open(cpu, Some(PAGES))?);
        }
        Ok(Self { buffers })
    }

    /// What becomes readable when there are packets.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.buffers.iter().map(AsFd::as_fd)
    }

    /// The records that have arrived. Those that found a buffer full are counted by the program.
    pub fn read(&mut self) -> Vec<Vec<u8>> {
        let mut records = Vec::new();
        for buffer in &mut self.buffers {
            buffer.for_each(|event| {
                if let PerfEvent::Sample { head, tail } = event {
                    records.push([head, tail].concat());
                }
            });
        }
        records
    }
}
