//! `tracepoint`: the kernel's static events.
//!
//! Where no field is read the program attaches to the tracepoint's raw form, which costs less per event. The two
//! `raw_syscalls` events use it always, since their fields are there too. Events of `syscalls` have no raw form of their own; where a
//! wildcard names many, they share that of all system calls.

use std::rc::Rc;

use super::Provider;
use crate::ast::AttachPoint;
use crate::compiled::Attach;
use crate::expand::{Context, Expand};
use crate::glob;
use crate::needs::{Needs, TracepointPattern};
use crate::target::TracepointFormat;
use crate::types::Space;
use crate::uses::Uses;

const SYNTAX: &str = "tracepoint:category:event";

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "tracepoint",
    aliases: &["t"],
    syntax: SYNTAX,
    summary: "A static event of the kernel; its fields are in `args`.",
    example: "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }",
    needs,
    expand,
};

fn needs(point: &AttachPoint, uses: Uses, needs: &mut Needs) {
    let [category, event] = point.parts.as_slice() else { return };
    needs.tracepoints.push(TracepointPattern {
        category: category.node.clone(),
        event: event.node.clone(),
        fields: uses.args || uses.typed_pointers,
    });
    needs.unwinding |= uses.kernel_stack;
}

fn expand(expand: &mut Expand<'_>, point: &AttachPoint) {
    let ([_, _], Some(category), Some(event)) = (point.parts.as_slice(), expand.part(point, 0), expand.part(point, 1))
    else {
        return expand.malformed(point, SYNTAX);
    };
    let pattern = TracepointPattern { category, event, fields: false };
    let target = expand.target;
    let known = target.tracepoints.iter().filter_map(|(name, format)| Some((name.split_once(':')?, format)));
    let (mut found, mut calls) = (false, vec![]);
    for ((category, event), format) in known {
        if pattern.matches(category, event) && is_attachable(category, &pattern) {
            found = true;
            match category {
                "syscalls" if pattern.is_wild() => calls.push(event),
                _ => site(expand, category, event, format.as_ref()),
            }
        }
    }
    for event in super::syscalls::share(expand, calls) {
        let format = target.tracepoints.get(&format!("syscalls:{event}")).and_then(Option::as_ref);
        site(expand, "syscalls", event, format);
    }
    if found {
        return;
    }
    if !target.complete {
        return site(expand, &pattern.category, &pattern.event, None);
    }
    let help = match pattern.category.as_str() {
        "syscalls" => {
            "system calls are traced by the names of the kernel's functions (`newfstat`, not `fstat`); \
             `bpfleet probes 'tracepoint:syscalls:*'` lists them"
        }
        _ => {
            "its module may not be loaded, or the event be called otherwise here; `bpfleet probes 'tracepoint:*'` lists what exists"
        }
    };
    expand.missing(point, &format!("tracepoint {}:{}", pattern.category, pattern.event), help);
}

/// The `ftrace` category lists the tracers' own records, which nothing can attach to.
fn is_attachable(category: &str, pattern: &TracepointPattern) -> bool {
    category != "ftrace" || !glob::is_pattern(&pattern.category)
}

fn site(expand: &mut Expand<'_>, category: &str, event: &str, format: Option<&TracepointFormat>) {
    let raw = Attach::RawTracepoint { event: event.into() };
    let record = Attach::Tracepoint { category: category.into(), event: event.into() };
    let user = matches!(category, "syscalls" | "raw_syscalls");
    let space = if user { Space::User } else { Space::Kernel };
    let (attach, context) = match (category, event) {
        // Programs on the raw forms may not call functions of the kernel.
        _ if expand.uses.typed_pointers => (record, Context::Record { format: format.cloned().map(Rc::new), space }),
        ("raw_syscalls", "sys_enter") => (raw, Context::SyscallEnter),
        ("raw_syscalls", "sys_exit") => (raw, Context::SyscallExit),
        ("syscalls", _) if !expand.uses.args => (record, Context::Record { format: None, space: Space::Any }),
        _ if !expand.uses.args => (raw, Context::Plain),
        _ => (record, Context::Record { format: format.cloned().map(Rc::new), space }),
    };
    expand.site(attach, format!("tracepoint:{category}:{event}"), context);
}
