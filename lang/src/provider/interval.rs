//! `interval`: every so often, on one CPU.

use super::period::{Period, period};
use super::{Provider, nothing};
use crate::compiled::Attach;
use crate::expand::Context;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "interval",
    aliases: &["i"],
    syntax: "interval:s:5 or interval:500ms",
    summary: "Fires every so often on one CPU; for output while a script runs.",
    example: r#"interval:s:5 { print(@); clear(@); } tracepoint:sched:sched_switch { @ = count(); }"#,
    needs: nothing,
    expand: |expand, point| {
        let nanoseconds = match period(expand, point) {
            Some(Period::Nanoseconds(n)) => n,
            Some(Period::Hertz(hz)) => (1_000_000_000 / hz).max(1),
            None => return expand.malformed(point, "interval:s:5 or interval:500ms"),
        };
        let name = super::written("interval", expand, point);
        expand.site(Attach::Interval { nanoseconds }, name, Context::Overflow);
    },
};
