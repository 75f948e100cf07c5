//! Lists what scripts can attach to on this node, as `bpftrace -l` does.
//!
//! In: a pattern (`tracepoint:syscalls:sys_enter_*`, `kprobe:vfs_*`, `*`). Out: lines in the order of the providers, sorted within
//! each; with the arguments of tracepoints below them if asked.

use std::collections::BTreeSet;

use lang::glob;

use crate::attach::source;
use crate::target::{self, TargetError};

/// The software events perf knows, and their short names.
const SOFTWARE: [&str; 11] = [
    "alignment-faults",
    "bpf-output",
    "context-switches",
    "cpu-clock",
    "cpu-migrations",
    "dummy",
    "emulation-faults",
    "major-faults",
    "minor-faults",
    "page-faults",
    "task-clock",
];

/// The hardware events perf knows by one name on every processor.
const HARDWARE: [&str; 9] = [
    "backend-stalls",
    "branch-instructions",
    "branch-misses",
    "bus-cycles",
    "cache-misses",
    "cache-references",
    "cpu-cycles",
    "frontend-stalls",
    "instructions",
];

/// The units of clocks, for `interval` and `profile`.
const UNITS: [&str; 4] = ["hz", "ms", "s", "us"];

/// Providers with their aliases, in the order they are listed.
const PROVIDERS: [(&str, &[&str]); 9] = [
    ("BEGIN", &["begin"]),
    ("END", &["end"]),
    ("hardware", &["h"]),
    ("interval", &["i"]),
    ("kprobe", &["k"]),
    ("profile", &["p"]),
    ("rawtracepoint", &["rt"]),
    ("software", &["s"]),
    ("tracepoint", &["t"]),
];

/// Every probe that matches `pattern`, one a line; all of them where it is empty. With `verbose`, each tracepoint is followed by
/// its arguments, indented by four spaces.
pub fn list(pattern: &str, verbose: bool) -> Result<Vec<String>, TargetError> {
    let (provider, rest) = match pattern.split_once(':') {
        Some((provider, rest)) => (provider, rest),
        None if pattern.is_empty() => ("*", ""),
        None => (pattern, ""),
    };
    let mut lines = Vec::new();
    for (name, aliases) in PROVIDERS {
        let named = |known: &str| glob::matches(&provider.to_lowercase(), &known.to_lowercase());
        if named(name) || aliases.contains(&provider) {
            list_provider(name, rest, verbose, &mut lines)?;
        }
    }
    // `*` alone and `sched_switch` alone are patterns for targets of any provider.
    if lines.is_empty() && !pattern.contains(':') {
        for (name, _) in PROVIDERS {
            list_provider(name, &format!("*{pattern}*"), verbose, &mut lines)?;
        }
    }
    Ok(lines)
}

fn list_provider(name: &str, rest: &str, verbose: bool, lines: &mut Vec<String>) -> Result<(), TargetError> {
    let wanted = |target: &str| rest.is_empty() || glob::matches(rest, target);
    match name {
        "tracepoint" => tracepoints(rest, verbose, lines)?,
        "rawtracepoint" => {
            let events: BTreeSet<String> = target::names()?.iter().filter_map(|name| raw_name(name)).collect();
            let matching = events.into_iter().filter(|event| wanted(event));
            lines.extend(matching.map(|event| format!("rawtracepoint:{event}")));
        }
        "kprobe" if source::find("kprobe").is_ok() => kprobes(rest, lines)?,
        "kprobe" => {}
        "hardware" => {
            lines.extend(HARDWARE.iter().filter(|event| wanted(event)).map(|event| format!("hardware:{event}:")))
        }
        "software" => {
            lines.extend(SOFTWARE.iter().filter(|event| wanted(event)).map(|event| format!("software:{event}:")))
        }
        "interval" | "profile" => {
            lines.extend(UNITS.iter().filter(|unit| wanted(unit)).map(|unit| format!("{name}:{unit}:")));
        }
        _ if rest.is_empty() => lines.push(name.to_owned()),
        _ => {}
    }
    Ok(())
}

/// The raw form of a tracepoint: system calls have theirs in `sys_enter` and `sys_exit` only.
fn raw_name(name: &str) -> Option<String> {
    let (category, event) = name.split_once(':')?;
    (category != "syscalls").then(|| event.to_owned())
}

fn tracepoints(rest: &str, verbose: bool, lines: &mut Vec<String>) -> Result<(), TargetError> {
    for name in target::names()? {
        if !(rest.is_empty() || glob::matches(rest, &name)) {
            continue;
        }
        lines.push(format!("tracepoint:{name}"));
        if verbose
            && let Some((category, event)) = name.split_once(':')
            && let Some(format) = target::format(category, event)?
        {
            lines.extend(format.fields.iter().map(|field| format!("    {}", declaration(&field.ty, &field.name))));
        }
    }
    Ok(())
}

/// A field as C declares it: an array's length stands behind the name.
fn declaration(ty: &str, name: &str) -> String {
    match ty.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        Some((element, length)) if !ty.starts_with("__data_loc") => format!("{element} {name}[{length}]"),
        _ => format!("{ty} {name}"),
    }
}

fn kprobes(rest: &str, lines: &mut Vec<String>) -> Result<(), TargetError> {
    let (module, pattern) = rest.split_once(':').unwrap_or(("", rest));
    let in_module = |found: Option<&str>| module.is_empty() || glob::matches(module, found.unwrap_or("vmlinux"));
    let mut names: Vec<String> = target::functions()?
        .into_iter()
        .filter(|function| in_module(function.module.as_deref()))
        .filter(|function| pattern.is_empty() || glob::matches(pattern, &function.name))
        .map(|function| function.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    lines.extend(names.into_iter().map(|name| format!("kprobe:{name}")));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_without_targets_are_listed_by_their_units_and_events() {
        let lines = list("interval", false).unwrap();
        assert_eq!(lines, ["interval:hz:", "interval:ms:", "interval:s:", "interval:us:"]);
        assert_eq!(list("software:page*", false).unwrap(), ["software:page-faults:"]);
        assert_eq!(list("begin", false).unwrap(), ["BEGIN"]);
    }

    #[test]
    fn a_field_is_declared_as_in_c() {
        assert_eq!(declaration("char[16]", "comm"), "char comm[16]");
        assert_eq!(declaration("const char *", "filename"), "const char * filename");
        assert_eq!(declaration("__data_loc char[]", "name"), "__data_loc char[] name");
    }
}
