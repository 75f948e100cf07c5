//! Why an attach point could not be had, in words that name the cause and what to do about it.

use std::fmt;
use std::fs;
use std::io;

use crate::preflight;

/// Why an attach point could not be had.
#[derive(Debug)]
pub struct AttachError {
    /// The attach point as a script writes it.
    pub point: String,
    /// Why.
    pub error: Reason,
}

impl std::error::Error for AttachError {}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(&self.error, Reason::Kernel(error) if error.raw_os_error() == Some(libc::EILSEQ)) {
            // Alone on its line, as in bpftrace.
            writeln!(f, "Possible attachment attempt in the middle of an instruction, try a different offset.")?;
            return write!(f, "Unable to attach probe: {}", self.point);
        }
        write!(f, "Unable to attach probe: {}: {}", self.point, self.error)
    }
}

/// What stood in the way of attaching.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// There is no such tracepoint.
    #[error("no such tracepoint")]
    NoTracepoint,
    /// The kernel does not have this kind of probe.
    #[error("this kernel has no {0}")]
    NoSource(&'static str),
    /// There is no tracefs.
    #[error(transparent)]
    Tracefs(#[from] crate::tracefs::Missing),
    /// Nothing in the processor counts this.
    #[error("the processor counts no such event here; in a virtual machine it often counts none")]
    NoCounter,
    /// The kernel forbids kprobes in this function.
    #[error(
        "the kernel forbids kprobes in this function, which tracing itself may call (it is listed in {BLACKLIST}); \
         trace one of its callers"
    )]
    Forbidden,
    /// All debug registers are taken.
    #[error("every debug register of the processor is in use; it has four, shared with debuggers")]
    NoDebugRegister,
    /// The kernel refused.
    #[error("{}", explained(.0))]
    Kernel(#[from] io::Error),
}

/// The functions in which there may be no kprobes: an address range and a name a line.
const BLACKLIST: &str = "/sys/kernel/debug/kprobes/blacklist";

impl Reason {
    /// Why a kprobe of a function was refused.
    pub fn of_kprobe(function: &str, error: io::Error) -> Self {
        let refused = error.raw_os_error() == Some(libc::EINVAL);
        match fs::read_to_string(BLACKLIST).ok().filter(|_| refused) {
            Some(list) if is_listed(&list, function) => Self::Forbidden,
            _ => error.into(),
        }
    }

    /// Whether the kernel refused this place, while another of its kind may be had.
    pub fn is_about_the_place(&self) -> bool {
        let Self::Kernel(error) = self else { return matches!(self, Self::NoTracepoint | Self::Forbidden) };
        matches!(
            error.raw_os_error(),
            Some(
                libc::ENOENT
                    | libc::EINVAL
                    | libc::EILSEQ
                    | libc::EADDRNOTAVAIL
                    | libc::EOPNOTSUPP
                    | libc::EBUSY
                    | libc::ESRCH
            )
        )
    }
}

/// Whether a function is in a blacklist: each line is an address range, then the name.
fn is_listed(blacklist: &str, function: &str) -> bool {
    blacklist.lines().any(|line| line.split_whitespace().nth(1) == Some(function))
}

/// What the kernel said, and what is behind it where that is known.
fn explained(error: &io::Error) -> String {
    let said = error.to_string();
    let why = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => denied(),
        Some(libc::EILSEQ) => Some("the place is in the middle of an instruction, try a different offset".to_owned()),
        Some(libc::ENOENT) => {
            Some("no function of this kernel is called so, or several are and the kernel does not choose".to_owned())
        }
        Some(libc::EINVAL) => {
            Some("the place cannot be traced: it may be marked so, or not be the start of an instruction".to_owned())
        }
        Some(libc::ESRCH) => Some("the process is gone, or a function cannot be traced".to_owned()),
        Some(libc::EMFILE | libc::ENFILE) => {
            Some("too many open files: raise `ulimit -n`, or name fewer places with a narrower wildcard".to_owned())
        }
        Some(libc::EBUSY) => Some("something else holds this place".to_owned()),
        _ => None,
    };
    match why {
        Some(why) => format!("{why} ({said})"),
        None => said,
    }
}

/// What forbids attaching, as far as the system tells.
fn denied() -> Option<String> {
    preflight::missing().first().map(|missing| format!("{missing}; {}", missing.remedy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_number_comes_with_its_cause() {
        let reason = Reason::from(io::Error::from_raw_os_error(libc::EILSEQ));
        assert!(reason.to_string().contains("try a different offset"), "{reason}");
        assert!(reason.is_about_the_place());
        let error = AttachError { point: "kprobe:vfs_read+1".to_owned(), error: reason };
        let told = error.to_string();
        let (first, second) = told.split_once('\n').unwrap();
        assert!(first.ends_with("try a different offset."), "{told}");
        assert_eq!(second, "Unable to attach probe: kprobe:vfs_read+1");
        assert!(!Reason::from(io::Error::from_raw_os_error(libc::EPERM)).is_about_the_place());
        let gone = Reason::from(io::Error::from_raw_os_error(libc::ENOENT));
        assert!(gone.to_string().starts_with("no function of this kernel is called so"), "{gone}");
        let unknown = Reason::from(io::Error::from_raw_os_error(libc::EIO));
        assert!(unknown.to_string().starts_with("Input/output error"), "{unknown}");
    }

    #[test]
    fn the_blacklist_names_functions_behind_their_addresses() {
        let list = "0xffffffff81c00000-0xffffffff81c00010\tnotify_die\n0x1-0x2\tdo_int3\n";
        assert!(is_listed(list, "do_int3"));
        assert!(!is_listed(list, "do_int"));
    }
}
