//! Where the kernel describes its tracepoints: the tracefs file system.
//!
//! Finds it, mounts it where it is missing, and names its files. What is in them is read by those who need it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::mount::MountFlags;

/// The place made for tracefs, then the older one inside debugfs.
const PLACES: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// There is no tracefs for this process.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// It is there, and closed to this process.
    #[error("tracefs at /sys/kernel/tracing cannot be read: {0}")]
    Denied(io::Error),
    /// It is not there, and could not be mounted.
    #[error("tracefs is not mounted at /sys/kernel/tracing, and mounting it there failed: {0}")]
    NotMounted(io::Error),
}

/// The root of tracefs. Mounts it at its usual place if nobody has; that stays when this process ends, as with other tracers.
pub fn root() -> Result<&'static Path, Missing> {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(root) = ROOT.get() {
        return Ok(root);
    }
    let found = match mounted() {
        Some(place) => place,
        None => mount()?,
    };
    Ok(ROOT.get_or_init(|| found))
}

/// The root of tracefs where it is mounted already.
pub fn mounted() -> Option<PathBuf> {
    PLACES.into_iter().map(PathBuf::from).find(|place| place.join("events").is_dir())
}

/// The directory of a tracepoint.
pub fn event(category: &str, event: &str) -> Result<PathBuf, Missing> {
    Ok(root()?.join("events").join(category).join(event))
}

fn mount() -> Result<PathBuf, Missing> {
    let place = PathBuf::from(PLACES[0]);
    if let Err(error) = std::fs::read_dir(&place)
        && error.kind() == io::ErrorKind::PermissionDenied
    {
        return Err(Missing::Denied(error));
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    match rustix::mount::mount("tracefs", &place, "tracefs", flags, None) {
        Ok(()) => Ok(place),
        // Another process was faster.
        Err(rustix::io::Errno::BUSY) if place.join("events").is_dir() => Ok(place),
        Err(error) => Err(Missing::NotMounted(error.into())),
    }
}
