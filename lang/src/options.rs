//! What the user says beside the script: arguments, settings, what is allowed.

use crate::ast::AttachPoint;
use crate::span::Spanned;

/// How a script is to be compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `$1`, `$2` .. in order.
    pub args: Vec<String>,
    /// `--name=value` for `getopt`; a flag without a value holds `None`.
    pub named: Vec<(String, Option<String>)>,
    /// Settings that win over the script's config block: its keys, or `BPFTRACE_` and the key in upper case.
    pub settings: Vec<(String, String)>,
    /// Whether functions that change the system may be called.
    pub unsafe_allowed: bool,
    /// Whether functions that write to files may be called.
    pub files_allowed: bool,
    /// Count only what this process does, by its process id.
    pub pid: Option<u32>,
    /// The command that runs along with the script, by its process id.
    pub child: Option<u32>,
    /// Whether failed reads of memory, and keys that a map does not hold, are told when they happen.
    pub helper_errors: bool,
    /// A file that lists the functions that can be traced, where the kernel is not to be asked.
    pub traceable_functions: Option<String>,
    /// Which of the probes that only run when asked for are run.
    pub trials: Option<Trials>,
    /// A regular expression: only attach points whose whole name matches somewhere are kept, and the script's own.
    pub probe_filter: Option<String>,
    /// More folders to look for the debug files of programs in.
    pub debug_folders: Vec<String>,
}

/// Probes of a script that only run when asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trials {
    /// `test:`
    Tests,
    /// `bench:`
    Benches,
}

impl Options {
    /// A part of an attach point, with `$1` and its kin replaced by what the user gave.
    pub fn substituted(&self, part: &str) -> String {
        let mut pieces = part.split('$');
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let digits = piece.len() - piece.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, rest) = piece.split_at_checked(digits).unwrap_or((piece, ""));
            match number.parse::<usize>() {
                Ok(number) => {
                    text.push_str(number.checked_sub(1).and_then(|i| self.args.get(i)).map_or("", String::as_str));
                }
                Err(_) => text.push('$'),
            }
            text.push_str(if number.is_empty() { piece } else { rest });
        }
        text
    }

    /// An attach point whose provider is, or holds, a parameter: as if it had been written out.
    pub fn written_out(&self, point: &AttachPoint) -> AttachPoint {
        let mut point = point.clone();
        if point.provider.node.contains('$') {
            let text = self.substituted(&point.provider.node);
            let span = point.provider.span;
            let mut parts = text.split(':').map(|part| Spanned { node: part.to_owned(), span });
            point.provider.node = parts.next().map(|provider| provider.node).unwrap_or_default();
            let rest = std::mem::take(&mut point.parts);
            point.parts = parts.chain(rest).collect();
        }
        point
    }
}
