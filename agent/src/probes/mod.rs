//! Lists what scripts can attach to on this node, as `bpftrace -l` does.
//!
//! In: patterns separated by commas (`tracepoint:syscalls:sys_enter_*`, `kprobe:vfs_*`, `*`, `struct file`). Out: lines in the
//! order of the providers, sorted within each; the arguments of each probe below it if asked. One file for each source of names:
//! [`fixed`] lists, the [`kernel`]'s functions and tracepoints, [`user`] functions, [`types`].

mod fixed;
mod kernel;
mod types;
mod user;

use lang::glob;

use crate::attach::source;
use crate::kallsyms::Kallsyms;
use crate::target::{self, TargetError};

/// What is looked for.
struct Query<'a> {
    /// What stands behind the provider: `syscalls:sys_enter_*`; empty for everything.
    rest: &'a str,
    /// Whether arguments are wanted.
    verbose: bool,
    /// The process whose files are meant by `*`.
    pid: Option<u32>,
    /// More folders with debug files.
    debug_folders: &'a [String],
    /// Whether the provider was written out, so that probes are listed which this kernel has no means to attach.
    named: bool,
}

impl Query<'_> {
    fn wants(&self, name: &str) -> bool {
        self.rest.is_empty() || glob::matches(self.rest.strip_suffix(':').unwrap_or(self.rest), name)
    }
}

type List = fn(&'static str, &Query<'_>, &mut Vec<String>) -> Result<(), TargetError>;

/// A kind of probe to list.
struct Provider {
    name: &'static str,
    alias: &'static str,
    /// Whether a pattern with `*` for the provider finds it: returns and user functions would double or never end such a list.
    by_pattern: bool,
    list: List,
}

const fn provider(name: &'static str, alias: &'static str, by_pattern: bool, list: List) -> Provider {
    Provider { name, alias, by_pattern, list }
}

/// In the order in which they are listed.
const PROVIDERS: [Provider; 19] = [
    provider("begin", "", true, fixed::alone),
    provider("end", "", true, fixed::alone),
    provider("fentry", "f", true, kernel::typed_functions),
    provider("fexit", "fr", false, kernel::typed_functions),
    provider("hardware", "h", true, fixed::hardware),
    provider("interval", "i", true, fixed::units),
    provider("iter", "it", true, kernel::iterators),
    provider("kfunc", "f", false, kernel::typed_functions),
    provider("kprobe", "k", true, kernel::functions),
    provider("kretfunc", "fr", false, kernel::typed_functions),
    provider("kretprobe", "kr", false, kernel::functions),
    provider("profile", "p", true, fixed::units),
    provider("rawtracepoint", "rt", true, kernel::raw_tracepoints),
    provider("self", "", false, fixed::signals),
    provider("software", "s", true, fixed::software),
    provider("tracepoint", "t", true, kernel::tracepoints),
    provider("uprobe", "u", true, user::functions),
    provider("uretprobe", "ur", false, user::functions),
    provider("usdt", "", true, user::markers),
];

/// How probes are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listing<'a> {
    /// Whether each probe is followed by its arguments, indented by four spaces.
    pub verbose: bool,
    /// The process whose files a `*` in place of a user file stands for.
    pub pid: Option<u32>,
    /// More folders to look for the debug files of programs in.
    pub debug_folders: &'a [String],
}

/// Every probe that matches `patterns`, one a line; all of them where it is empty.
pub fn list(patterns: &str, listing: &Listing<'_>) -> Result<Vec<String>, TargetError> {
    let mut lines = Vec::new();
    // Several providers list functions and look at types: both are read once. Without them there is less to list.
    let asks_many = |pattern: &str| pattern.split_once(':').is_none_or(|(provider, _)| glob::is_pattern(provider));
    let _shared = patterns.split(',').any(asks_many).then(|| (Kallsyms::shared(), target::kernel_types()));
    for pattern in patterns.split(',') {
        let words: Vec<&str> = pattern.split_whitespace().collect();
        let pattern = words.join(" ");
        if matches!(words.first(), Some(&("struct" | "union" | "enum"))) {
            types::list(&pattern, listing.verbose, &mut lines)?;
        } else {
            list_one(&pattern, listing, &mut lines)?;
        }
    }
    Ok(lines)
}

fn list_one(pattern: &str, listing: &Listing<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    let (provider, rest) = match pattern.split_once(':') {
        Some((provider, rest)) => (provider.to_lowercase(), rest),
        None if pattern.is_empty() => ("*".to_owned(), ""),
        None => (pattern.to_lowercase(), ""),
    };
    let wild = glob::is_pattern(&provider);
    let Listing { verbose, pid, debug_folders } = *listing;
    let mut query = Query { rest: if rest == "*" { "" } else { rest }, verbose, pid, debug_folders, named: !wild };
    let found: Vec<&Provider> = PROVIDERS
        .iter()
        .filter(|known| match wild {
            true => known.by_pattern && glob::matches(&provider, known.name),
            false => known.name == provider || (!known.alias.is_empty() && known.alias == provider),
        })
        .collect();
    if let Some(first) = found.first().filter(|_| !wild) {
        return (first.list)(first.name, &query, lines);
    }
    for known in &found {
        (known.list)(known.name, &query, lines)?;
    }
    // `*` alone and `sched_switch` alone are patterns for targets of any provider.
    if found.is_empty() && !pattern.contains(':') {
        let anywhere = format!("*{pattern}*");
        (query.rest, query.named) = (&anywhere, false);
        for known in PROVIDERS.iter().filter(|known| known.by_pattern) {
            (known.list)(known.name, &query, lines)?;
        }
    }
    Ok(())
}

/// Whether this kernel can attach to any function at all.
fn has_kprobes() -> bool {
    source::find("kprobe").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(patterns: &str) -> Vec<String> {
        list(patterns, &Listing::default()).unwrap()
    }

    #[test]
    fn providers_without_targets_are_listed_by_their_units_and_events() {
        assert_eq!(lines("interval"), ["interval:hz:", "interval:ms:", "interval:s:", "interval:us:"]);
        assert_eq!(lines("interval:ms:"), ["interval:ms:"]);
        assert_eq!(lines("software:page*"), ["software:page-faults:"]);
        assert_eq!(lines("BEGIN"), ["begin"]);
        assert_eq!(lines("begin,  h:cycles "), ["begin", "hardware:cycles:"]);
    }

    #[test]
    fn a_pattern_for_the_provider_lists_each_that_matches() {
        let found = lines("*ware:c*");
        assert!(found.contains(&"hardware:cpu-cycles:".to_owned()), "{found:?}");
        assert!(found.contains(&"software:context-switches:".to_owned()), "{found:?}");
        assert!(found.iter().all(|line| line.starts_with("hardware:c") || line.starts_with("software:c")), "{found:?}");
    }
}
