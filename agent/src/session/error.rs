//! Why a session could not start or go on, in words for the script's author.

use std::io;

use lang::diagnostic::{Diagnostic, REFUSED_BY_KERNEL};
use lang::span::Span;

use crate::attach::AttachError;
use crate::load::{LoadError, Rejected};
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
    /// The kernel refused something else.
    #[error("{what}: {error}")]
    Kernel {
        /// What was asked for.
        what: &'static str,
        /// Why not.
        error: io::Error,
    },
}

impl SessionError {
    /// The error as people read it: where the verifier refused a program, the line of the script first, the verifier's last lines
    /// after it.
    pub fn render(&self, name: &str, source: &str) -> String {
        let SessionError::Load(LoadError::Rejected(rejected)) = self else {
            return format!("ERROR: {self}\n");
        };
        let mut text = match rejected.span {
            Some(span) => lang::render::terminal(name, source, &[diagnostic(rejected, span)]),
            None => format!("ERROR: {rejected}\n"),
        };
        if !rejected.log.is_empty() {
            text.push_str("The verifier's last words:\n");
            for line in rejected.log.lines() {
                text.push_str("    ");
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

fn diagnostic(rejected: &Rejected, span: Span) -> Diagnostic {
    Diagnostic::error(
        REFUSED_BY_KERNEL,
        span,
        format!("the kernel refused this part of the script: {}", rejected.error),
    )
    .help("this is a fault of bpfleet, not of the script; please report it with the text below")
}
