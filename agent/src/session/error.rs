//! Why a session could not start or go on, in words for the script's author.

use std::io;

use lang::diagnostic::{Diagnostic, REFUSED_BY_KERNEL};
use lang::span::Span;

use crate::attach::AttachError;
use crate::load::{LoadError, Rejected};
use crate::packets::CaptureError;
use crate::preflight;
use crate::read::ReadError;

/// Why a session could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The kernel did not take the maps or the programs.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// An attach point could not be had.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// A map could not be read or changed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What the script prints could not be handed over.
    #[error("output: {0}")]
    Output(#[from] io::Error),
    /// A file that the script writes packets to could not be written.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The kernel refused something else.
    #[error("{what}: {error}")]
    Kernel {
        /// What was asked for.
        what: &'static str,
        /// Why not.
        error: io::Error,
    },
}

/// How many of the verifier's last lines are worth showing to everybody.
const LOG_LINES: usize = 12;

impl SessionError {
    /// The error as people read it: where the verifier refused a program, the line of the script first, the verifier's last lines
    /// after it.
    pub fn render(&self, name: &str, source: &str) -> String {
        self.render_by(false, |found| lang::render::terminal(name, source, found))
    }

    /// The same, its finding shown by `show`; `in_full` with all that the verifier wrote.
    pub fn render_by(&self, in_full: bool, show: impl Fn(&[Diagnostic]) -> String) -> String {
        let most = if in_full { usize::MAX } else { LOG_LINES };
        let SessionError::Load(LoadError::Rejected(rejected)) = self else {
            return format!("ERROR: {self}\n");
        };
        let mut text = match rejected.span {
            Some(span) => show(&[diagnostic(rejected, span)]),
            None => format!("ERROR: {rejected}\n"),
        };
        if !rejected.log.is_empty() {
            let lines = rejected.log.lines().count();
            let more = if lines > most { " (-v shows all of them)" } else { "" };
            text.push_str(&format!("The verifier's last words{more}:\n"));
            for line in rejected.log.lines().skip(lines.saturating_sub(most)) {
                text.push_str("    ");
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

fn diagnostic(rejected: &Rejected, span: Span) -> Diagnostic {
    if let Some(helper) = misplaced_helper(&rejected.log) {
        let message = format!("helper {helper} not allowed in probe");
        return Diagnostic::error(REFUSED_BY_KERNEL, span, message).help(
            "the kernel allows it in the functions of a list of its own only; trace one of those, or do without",
        );
    }
    if let Some(helper) = refused_helper(&rejected.log) {
        let message = format!("the kernel does not let this program call {helper}");
        return Diagnostic::error(REFUSED_BY_KERNEL, span, message).help(match preflight::lockdown() {
            Some(level) => format!("it is locked down (lockdown={level}), which keeps programs from writing into processes and more; boot without lockdown"),
            None => "it is older than this helper, or keeps it from programs of this kind".to_owned(),
        });
    }
    Diagnostic::error(
        REFUSED_BY_KERNEL,
        span,
        format!("the kernel refused this part of the script: {}", rejected.error),
    )
    .help("this is a fault of bpfleet, not of the script; please report it with the text below")
}

/// The helper that the verifier does not know or does not allow: `unknown func bpf_probe_write_user#36`.
fn refused_helper(log: &str) -> Option<&str> {
    let line = log.lines().rev().find(|line| line.contains("unknown func ") || line.contains("cannot use helper "))?;
    line.split_whitespace().find_map(|word| Some(word.split_once('#')?.0)).filter(|name| name.starts_with("bpf_"))
}

/// The helper that the verifier allows in other functions than this: what it says follows the call.
fn misplaced_helper(log: &str) -> Option<&str> {
    let (before, _) = log.rsplit_once("helper call is not allowed in probe")?;
    let (_, call) = before.rsplit_once(" call ")?;
    call.split_once('#').map(|(name, _)| name).filter(|name| name.starts_with("bpf_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_that_belongs_to_other_functions_is_named() {
        let log = "6: (79) r3 = *(u64 *)(r1 +0)\n7: (85) call bpf_d_path#147\nhelper call is not allowed in probe\n";
        assert_eq!(misplaced_helper(log), Some("bpf_d_path"));
        assert_eq!(misplaced_helper("7: (85) call bpf_d_path#147\nR2 !read_ok\n"), None);
    }

    #[test]
    fn a_helper_that_the_kernel_withholds_is_named() {
        let log =
            "7: (85) call bpf_probe_write_user#36\nprogram of this type cannot use helper bpf_probe_write_user#36\n";
        assert_eq!(refused_helper(log), Some("bpf_probe_write_user"));
        assert_eq!(refused_helper("7: (85) call bpf_probe_write_user#36\nR2 !read_ok\n"), None);
        let error = io::Error::from_raw_os_error(libc::EINVAL);
        let rejected = Rejected { program: "p".to_owned(), error, span: None, log: log.to_owned() };
        let told = diagnostic(&rejected, Span { start: 0, end: 1 });
        assert!(told.message.ends_with("does not let this program call bpf_probe_write_user"), "{}", told.message);
        assert!(!told.help.unwrap_or_default().contains("fault of bpfleet"));
    }
}
