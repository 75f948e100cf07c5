//! `profile`: samples what every CPU is doing.

use super::period::{Period, period};
use super::{Provider, stacks};
use crate::compiled::{Attach, SampleRate};
use crate::expand::Context;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "profile",
    aliases: &["p"],
    syntax: "profile:hz:99 or profile:10ms",
    summary: "Fires on every CPU at a rate, so that what runs there can be sampled.",
    example: "profile:hz:99 { @[kstack] = count(); }",
    needs: stacks,
    expand: |expand, point| {
        let rate = match period(expand, point) {
            Some(Period::Nanoseconds(n)) => SampleRate::Nanoseconds(n),
            Some(Period::Hertz(hz)) => SampleRate::Hertz(hz),
            None => return expand.malformed(point, "profile:hz:99 or profile:10ms"),
        };
        let name = super::written("profile", expand, point);
        expand.site(Attach::Profile(rate), name, Context::Overflow);
    },
};
