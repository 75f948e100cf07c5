//! `hardware`: events that the processor counts.

use super::perf_event::{self, PerfEvent};
use super::{Provider, stacks};
use crate::compiled::Attach;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "hardware",
    aliases: &["h"],
    syntax: "hardware:event[:count]",
    summary: "An event that the processor counts, each time it has happened so often on a CPU. Virtual machines often count none.",
    example: "hardware:cache-misses:1000000 { @[comm] = count(); }",
    needs: stacks,
    expand: |expand, point| {
        perf_event::expand(expand, point, "hardware", EVENTS, |event, period| Attach::Hardware { event, period });
    },
};

/// `PERF_COUNT_HW_*`, in name order.
pub const EVENTS: &[PerfEvent] = &[
    event("backend-stalls", "", 8, 1_000_000),
    event("branch-instructions", "branches", 4, 100_000),
    event("branch-misses", "", 5, 100_000),
    event("bus-cycles", "", 6, 100_000),
    event("cache-misses", "", 3, 1_000_000),
    event("cache-references", "", 2, 1_000_000),
    event("cpu-cycles", "cycles", 0, 1_000_000),
    event("frontend-stalls", "", 7, 1_000_000),
    event("instructions", "", 1, 1_000_000),
    event("ref-cycles", "", 9, 1_000_000),
];

const fn event(name: &'static str, alias: &'static str, number: u64, period: u64) -> PerfEvent {
    PerfEvent { name, alias, number, period }
}
