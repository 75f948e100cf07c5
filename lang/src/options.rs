//! What the user says beside the script: arguments, settings, what is allowed.

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
    /// Count only what this process does, by its process id.
    pub pid: Option<u32>,
    /// A regular expression: only attach points whose whole name matches somewhere are kept, and the script's own.
    pub probe_filter: Option<String>,
}

impl Options {
    /// A part of an attach point, with `$1` and its kin replaced by what the user gave.
    pub fn substituted(&self, part: &str) -> String {
        match part.strip_prefix('$').and_then(|number| number.parse::<usize>().ok()) {
            Some(number) => number.checked_sub(1).and_then(|i| self.args.get(i)).cloned().unwrap_or_default(),
            None => part.to_owned(),
        }
    }
}
