//! `rawtracepoint`: a tracepoint before its fields are put into a record, with the arguments the kernel passes.

use super::Provider;
use crate::ast::AttachPoint;
use crate::compiled::Attach;
use crate::expand::{Context, Expand};
use crate::needs::{Needs, TracepointPattern};
use crate::uses::Uses;

const SYNTAX: &str = "rawtracepoint:event";

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "rawtracepoint",
    aliases: &["rt"],
    syntax: SYNTAX,
    summary: "A tracepoint's raw form; its arguments are `arg0`, `arg1` .. and, where the kernel's types name them, in `args`.",
    example: "rawtracepoint:sched_switch { @ = count(); }",
    needs,
    expand,
};

fn needs(point: &AttachPoint, uses: Uses, needs: &mut Needs) {
    needs.modules |= point.parts.len() == 2;
    if let [.., event] = point.parts.as_slice() {
        needs.tracepoints.push(TracepointPattern { category: "*".into(), event: event.node.clone(), fields: false });
        needs.btf |= uses.args || uses.typed_pointers;
        needs.unwinding |= uses.kernel_stack;
    }
}

fn expand(expand: &mut Expand<'_>, point: &AttachPoint) {
    let last = match point.parts.len() {
        1 => expand.part(point, 0),
        2 => expand.part(point, 1),
        _ => None,
    };
    let Some(event) = last else { return expand.malformed(point, SYNTAX) };
    let pattern = TracepointPattern { category: "*".into(), event: event.clone(), fields: false };
    let events: Vec<String> = expand
        .target
        .tracepoints
        .keys()
        .filter_map(|name| name.split_once(':'))
        .filter(|(category, event)| !matches!(*category, "syscalls" | "ftrace") && pattern.matches(category, event))
        .map(|(_, event)| event.to_owned())
        .collect();
    let module = expand.part(point, 0).filter(|_| point.parts.len() == 2);
    let is_loaded = module.is_none_or(|module| expand.target.has_module(&module));
    if (events.is_empty() || !is_loaded) && expand.target.complete {
        let written = point.parts.iter().map(|part| part.node.as_str()).collect::<Vec<_>>().join(":");
        let help = "its module may not be loaded; `bpfleet probes 'rawtracepoint:*'` lists what exists";
        let what = format!("rawtracepoint {written}");
        return match point.parts.as_slice() {
            // Of any module.
            [_] => expand.without_match(&what, help),
            _ => expand.missing(point, &what, help),
        };
    }
    let events = if events.is_empty() { vec![event] } else { events };
    for event in events {
        let name = format!("rawtracepoint:{event}");
        // Without names and types the arguments of all are the same words.
        let typed = expand.uses.typed_pointers;
        let of = if expand.uses.args || typed { event.clone() } else { String::new() };
        expand.site(Attach::RawTracepoint { event }, name, Context::Raw { event: of, typed });
    }
}
