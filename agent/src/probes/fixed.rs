//! Probes whose names are the same on every machine. Source of the events: include/uapi/linux/perf_event.h.

use super::Query;
use crate::target::TargetError;

/// The software events perf knows, and their short names.
const SOFTWARE: [&str; 14] = [
    "alignment-faults",
    "bpf-output",
    "context-switches",
    "cpu",
    "cpu-clock",
    "cpu-migrations",
    "cs",
    "dummy",
    "emulation-faults",
    "faults",
    "major-faults",
    "minor-faults",
    "page-faults",
    "task-clock",
];

/// The hardware events perf knows by one name on every processor, and their short names.
const HARDWARE: [&str; 12] = [
    "backend-stalls",
    "branch-instructions",
    "branch-misses",
    "branches",
    "bus-cycles",
    "cache-misses",
    "cache-references",
    "cpu-cycles",
    "cycles",
    "frontend-stalls",
    "instructions",
    "ref-cycles",
];

/// The units of clocks, for `interval` and `profile`.
const UNITS: [&str; 4] = ["hz", "ms", "s", "us"];

/// The signals a script may wait for.
const SIGNALS: [&str; 2] = ["signal:SIGUSR1", "signal:SIGUSR2"];

pub(super) fn alone(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    if query.rest.is_empty() {
        lines.push(name.to_owned());
    }
    Ok(())
}

pub(super) fn software(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    events(name, &SOFTWARE, query, lines)
}

pub(super) fn hardware(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    events(name, &HARDWARE, query, lines)
}

pub(super) fn units(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    events(name, &UNITS, query, lines)
}

pub(super) fn signals(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    lines.extend(SIGNALS.iter().filter(|signal| query.wants(signal)).map(|signal| format!("{name}:{signal}")));
    Ok(())
}

fn events(name: &str, events: &[&str], query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    lines.extend(events.iter().filter(|event| query.wants(event)).map(|event| format!("{name}:{event}:")));
    Ok(())
}
