//! `software`: events that the kernel counts itself.

use super::perf_event::{self, PerfEvent};
use super::{Provider, stacks};
use crate::compiled::Attach;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "software",
    aliases: &["s"],
    syntax: "software:event[:count]",
    summary: "An event that the kernel counts, each time it has happened so often on a CPU.",
    example: "software:page-faults:100 { @[comm] = count(); }",
    needs: stacks,
    expand: |expand, point| {
        perf_event::expand(expand, point, "software", EVENTS, |event, period| Attach::Software { event, period });
    },
};

/// `PERF_COUNT_SW_*`, in name order.
pub const EVENTS: &[PerfEvent] = &[
    event("alignment-faults", "", 7, 1),
    event("bpf-output", "", 10, 1),
    event("context-switches", "cs", 3, 1_000),
    event("cpu-clock", "cpu", 0, 1_000_000),
    event("cpu-migrations", "", 4, 1),
    event("dummy", "", 9, 1),
    event("emulation-faults", "", 8, 1),
    event("major-faults", "", 6, 1),
    event("minor-faults", "", 5, 100),
    event("page-faults", "faults", 2, 100),
    event("task-clock", "", 1, 1_000_000),
];

const fn event(name: &'static str, alias: &'static str, number: u64, period: u64) -> PerfEvent {
    PerfEvent { name, alias, number, period }
}
