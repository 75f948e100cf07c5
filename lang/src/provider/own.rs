//! `self`: what happens to the process that runs the script.

use super::{Provider, nothing};
use crate::compiled::Attach;
use crate::diagnostic::Diagnostic;
use crate::expand::Context;

const SYNTAX: &str = "self:signal:SIGUSR1";

/// The signals a script may ask for, by number: those that nothing else is done with.
const SIGNALS: [(&str, i32); 2] = [("SIGUSR1", 10), ("SIGUSR2", 12)];

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "self",
    aliases: &[],
    syntax: SYNTAX,
    summary: "Runs when the process that runs the script receives a signal: SIGUSR1 or SIGUSR2.",
    example: "self:signal:SIGUSR1 { print(@); } tracepoint:sched:sched_switch { @ = count(); }",
    needs: nothing,
    expand: |expand, point| {
        let (Some("signal"), Some(signal), 2) =
            (expand.part(point, 0).as_deref(), expand.part(point, 1), point.parts.len())
        else {
            return expand.malformed(point, SYNTAX);
        };
        match SIGNALS.iter().find(|(name, _)| *name == signal || name.strip_prefix("SIG") == Some(signal.as_str())) {
            Some((name, number)) => {
                expand.site(Attach::Signal { number: *number }, format!("self:signal:{name}"), Context::Script);
            }
            None => {
                let message = format!("`{signal}` is no signal that a script can wait for");
                expand.report(Diagnostic::error("E0402", point.span, message).help("SIGUSR1 or SIGUSR2"));
            }
        }
    },
};
