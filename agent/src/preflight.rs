//! What this process lacks to trace here, each with a remedy.
//!
//! Asked before a session starts, so that a user reads what is missing instead of `Operation not permitted`. Kernel features a
//! single script may need are not asked here: the compiler and the loader report those with the script's line.

use std::fmt;
use std::fs;
use std::path::Path;

use rustix::thread::{CapabilitySet, capabilities};

use crate::sys::map::{Map, Request};
use crate::tracefs;

/// Something that tracing needs and that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A capability of this process.
    Capability(&'static str),
    /// The kernel keeps perf events from this process.
    PerfEventParanoid(i32),
    /// No tracefs is mounted, and this process may not mount it.
    Tracefs,
    /// tracefs is mounted, and this process may not read it.
    TracefsDenied,
    /// The kernel is older than 5.8 or was built without ring buffers.
    RingBuffer(String),
    /// The kernel was locked down against reading its memory.
    Lockdown,
}

impl Missing {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Missing::Capability(name) => format!(
                "run as root, or give the process {name}: `setcap {}+ep FILE`, or capabilities.add in a pod's securityContext",
                name.to_lowercase()
            ),
            Missing::PerfEventParanoid(_) => {
                "`sysctl kernel.perf_event_paranoid=2`, or run with CAP_SYS_ADMIN".to_owned()
            }
            Missing::Tracefs => "`mount -t tracefs tracefs /sys/kernel/tracing`".to_owned(),
            Missing::TracefsDenied => "run as root, or `mount -o remount,mode=755 /sys/kernel/tracing`".to_owned(),
            Missing::RingBuffer(_) => "use kernel 5.8 or newer, built with CONFIG_BPF_SYSCALL".to_owned(),
            Missing::Lockdown => "boot with lockdown=integrity or without lockdown".to_owned(),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Capability(name) => write!(f, "this process lacks {name}"),
            Missing::PerfEventParanoid(level) => {
                write!(f, "kernel.perf_event_paranoid is {level}: perf events need CAP_SYS_ADMIN")
            }
            Missing::Tracefs => write!(f, "tracefs is not mounted"),
            Missing::TracefsDenied => write!(f, "this process may not read tracefs"),
            Missing::RingBuffer(error) => write!(f, "the kernel makes no BPF ring buffer: {error}"),
            Missing::Lockdown => {
                write!(f, "the kernel is locked down for confidentiality: programs may not read its memory")
            }
        }
    }
}

/// Everything that is missing; empty where sessions can start.
pub fn missing() -> Vec<Missing> {
    let effective = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    let admin = effective.contains(CapabilitySet::SYS_ADMIN);
    let mut missing = capabilities_missing(effective);
    let paranoid = read_number("/proc/sys/kernel/perf_event_paranoid");
    // Debian's kernels know a level above 2 that asks for CAP_SYS_ADMIN whatever else a process has.
    if let Some(level) = paranoid.filter(|level| *level > 2 && !admin) {
        missing.push(Missing::PerfEventParanoid(level));
    }
    match tracefs::root() {
        Ok(_) => {}
        Err(tracefs::Missing::Denied(_)) => missing.push(Missing::TracefsDenied),
        Err(tracefs::Missing::NotMounted(_)) => missing.push(Missing::Tracefs),
    }
    if lockdown().as_deref() == Some("confidentiality") {
        missing.push(Missing::Lockdown);
    }
    if missing.is_empty()
        && let Some(error) = ring_buffer_error()
    {
        missing.push(Missing::RingBuffer(error));
    }
    missing
}

/// How far the kernel is locked down against its own administrator: `integrity`, `confidentiality`; `None` where it is not.
pub fn lockdown() -> Option<String> {
    level(&fs::read_to_string("/sys/kernel/security/lockdown").ok()?)
}

/// The level in brackets: `none [integrity] confidentiality`.
fn level(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    let (level, _) = rest.split_once(']')?;
    (level != "none").then(|| level.to_owned())
}

/// CAP_BPF and CAP_PERFMON (5.8) are each a part of CAP_SYS_ADMIN.
fn capabilities_missing(effective: CapabilitySet) -> Vec<Missing> {
    if effective.contains(CapabilitySet::SYS_ADMIN) {
        return Vec::new();
    }
    let wanted = [(CapabilitySet::BPF, "CAP_BPF"), (CapabilitySet::PERFMON, "CAP_PERFMON")];
    let lacking = wanted.into_iter().filter(|(capability, _)| !effective.contains(*capability));
    lacking.map(|(_, name)| Missing::Capability(name)).collect()
}

fn read_number(path: impl AsRef<Path>) -> Option<i32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Why no ring buffer can be made; the smallest one is tried.
fn ring_buffer_error() -> Option<String> {
    let request = Request {
        name: "preflight",
        kind: ::bpf::map::MapType::RingBuf,
        key_size: 0,
        value_size: 0,
        max_entries: rustix::param::page_size() as u32,
        flags: 0,
    };
    Map::create(&request).err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_of_a_lockdown_stands_in_brackets() {
        assert_eq!(level("none [integrity] confidentiality\n").as_deref(), Some("integrity"));
        assert_eq!(level("[none] integrity confidentiality\n"), None);
    }

    #[test]
    fn an_administrator_lacks_no_capability() {
        assert_eq!(capabilities_missing(CapabilitySet::SYS_ADMIN), []);
    }

    #[test]
    fn what_is_lacking_is_named_with_a_remedy() {
        let missing = capabilities_missing(CapabilitySet::BPF);
        assert_eq!(missing, [Missing::Capability("CAP_PERFMON")]);
        assert_eq!(missing[0].to_string(), "this process lacks CAP_PERFMON");
        assert!(missing[0].remedy().contains("cap_perfmon+ep"), "{}", missing[0].remedy());
    }
}
