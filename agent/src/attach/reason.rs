//! Why an attach point could not be had, in words that name the cause and what to do about it.

use std::io;

use crate::preflight;

/// Why an attach point could not be had.
#[derive(Debug, thiserror::Error)]
#[error("Unable to attach probe: {point}: {error}")]
pub struct AttachError {
    /// The attach point as a script writes it.
    pub point: String,
    /// Why.
    pub error: Reason,
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
    /// All debug registers are taken.
    #[error("every debug register of the processor is in use; it has four, shared with debuggers")]
    NoDebugRegister,
    /// The kernel refused.
    #[error("{}", explained(.0))]
    Kernel(#[from] io::Error),
}

impl Reason {
    /// Whether the kernel refused this place, while another of its kind may be had.
    pub fn is_about_the_place(&self) -> bool {
        let Self::Kernel(error) = self else { return matches!(self, Self::NoTracepoint) };
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

/// What the kernel said, and what is behind it where that is known.
fn explained(error: &io::Error) -> String {
    let said = error.to_string();
    let why = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => denied(),
        Some(libc::EILSEQ) => {
            Some("Possible attachment attempt in the middle of an instruction, try a different offset.".to_owned())
        }
        Some(libc::ENOENT) => Some("the function is not in this kernel, or cannot be traced".to_owned()),
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
        assert!(!Reason::from(io::Error::from_raw_os_error(libc::EPERM)).is_about_the_place());
        let unknown = Reason::from(io::Error::from_raw_os_error(libc::EIO));
        assert!(unknown.to_string().starts_with("Input/output error"), "{unknown}");
    }
}
