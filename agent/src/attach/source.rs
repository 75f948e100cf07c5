//! What the attach points that are perf events have in common: event sources, the CPU they are opened on, the link.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use super::{Attachment, Reason};
use crate::sys::link;

/// The numbers by which perf knows a dynamic event source.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Its type.
    pub kind: u32,
    /// The bit of its configuration that asks for the return instead of the entry.
    pub on_return: u64,
}

/// The event source called `kprobe` or `uprobe`. Kernel 4.17.
pub fn find(name: &'static str) -> Result<Source, Reason> {
    let root = Path::new("/sys/bus/event_source/devices").join(name);
    let kind = read(root.join("type")).and_then(|text| text.parse().ok()).ok_or(Reason::NoSource(name))?;
    // `config:0`: the bit's number.
    let bit = read(root.join("format/retprobe"))
        .and_then(|text| text.strip_prefix("config:")?.parse::<u32>().ok())
        .and_then(|bit| 1u64.checked_shl(bit))
        .ok_or(Reason::NoSource(name))?;
    Ok(Source { kind, on_return: bit })
}

fn read(path: PathBuf) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The CPUs that are online now.
pub fn online_cpus() -> io::Result<Vec<u32>> {
    aya::util::online_cpus().map_err(|(_, error)| error)
}

/// The threads of a process.
pub fn threads(pid: u32) -> io::Result<Vec<u32>> {
    let entries = fs::read_dir(format!("/proc/{pid}/task"))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// The CPU to open an event on that fires wherever it happens.
pub fn first_cpu() -> io::Result<u32> {
    Ok(online_cpus()?.first().copied().unwrap_or(0))
}

/// Attaches a program to an open perf event.
pub fn attach(program: BorrowedFd<'_>, event: OwnedFd) -> Result<Attachment, Reason> {
    let link = link::perf_event(program, event.as_fd(), None)?;
    Ok(Attachment { link, event: Some(event) })
}
