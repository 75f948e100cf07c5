//! What `software` and `hardware` have in common: events that perf counts, by name.

use super::written;
use crate::ast::AttachPoint;
use crate::compiled::Attach;
use crate::diagnostic::Diagnostic;
use crate::expand::{Context, Expand};
use crate::nearest::nearest;

/// An event of perf.
pub struct PerfEvent {
    /// What it is called.
    pub name: &'static str,
    /// Its short name, or nothing.
    pub alias: &'static str,
    /// The number perf knows it by.
    pub number: u64,
    /// How often it happens between two runs of the program, where the script does not say.
    pub period: u64,
}

/// Adds the place an attach point stands for.
pub fn expand(
    expand: &mut Expand<'_>,
    point: &AttachPoint,
    provider: &str,
    events: &[PerfEvent],
    attach: fn(u64, u64) -> Attach,
) {
    let (Some(event), 1..=2) = (expand.part(point, 0), point.parts.len()) else {
        return expand.malformed(point, &format!("{provider}:event or {provider}:event:count"));
    };
    let Some(found) = events.iter().find(|known| known.name == event || (!event.is_empty() && known.alias == event))
    else {
        let names: Vec<&str> = events.iter().map(|event| event.name).collect();
        let help = match nearest(&event, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", names.join(", ")),
        };
        let message = format!("there is no {provider} event `{event}`");
        return expand.report(Diagnostic::error("E0401", point.span, message).help(help));
    };
    let period = match expand.part(point, 1) {
        None => Some(found.period),
        Some(text) if text.is_empty() => Some(found.period),
        Some(text) => crate::lex::number::value(&text).ok().filter(|count| *count > 0),
    };
    match period {
        Some(period) => {
            let name = written(provider, expand, point);
            expand.site(attach(found.number, period), name, Context::Overflow);
        }
        None => expand.malformed(point, &format!("{provider}:event:count")),
    }
}
