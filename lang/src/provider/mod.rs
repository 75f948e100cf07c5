//! The kinds of probe. Each has a file: its syntax, what it needs to know of the node, how it expands.
//!
//! To add one, copy a file and list it in [`ALL`].

mod begin;
mod bench;
mod end;
mod fentry;
mod fexit;
pub mod hardware;
mod interval;
pub mod iter;
mod kernel_function;
mod kprobe;
mod kretprobe;
mod own;
mod perf_event;
mod period;
mod profile;
mod program_function;
mod rawtracepoint;
pub mod software;
mod syscalls;
mod test;
mod tracepoint;
mod trial;
mod uprobe;
mod uretprobe;
mod usdt;
mod user_function;
mod watchpoint;

pub use perf_event::PerfEvent;
pub use usdt::{MarkerArgument, Source as MarkerSource};

use crate::ast::AttachPoint;
use crate::expand::Expand;
use crate::needs::Needs;
use crate::uses::Uses;

/// A kind of probe.
pub struct Provider {
    /// As it prints.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What an attach point looks like.
    pub syntax: &'static str,
    /// One sentence for the documentation.
    pub summary: &'static str,
    /// A script that uses it.
    pub example: &'static str,
    /// Notes what must be known of the node to expand an attach point.
    pub needs: fn(&AttachPoint, Uses, &mut Needs),
    /// Finds the places an attach point stands for.
    pub expand: fn(&mut Expand<'_>, &AttachPoint),
}

/// Every kind of probe, in name order.
pub const ALL: &[&Provider] = &[
    &begin::PROVIDER,
    &bench::PROVIDER,
    &end::PROVIDER,
    &fentry::PROVIDER,
    &fexit::PROVIDER,
    &hardware::PROVIDER,
    &interval::PROVIDER,
    &iter::PROVIDER,
    &kprobe::PROVIDER,
    &kretprobe::PROVIDER,
    &profile::PROVIDER,
    &rawtracepoint::PROVIDER,
    &own::PROVIDER,
    &software::PROVIDER,
    &test::PROVIDER,
    &tracepoint::PROVIDER,
    &uprobe::PROVIDER,
    &uretprobe::PROVIDER,
    &usdt::PROVIDER,
    &watchpoint::PROVIDER,
];

/// The kind of probe called `name`, in any case of letters.
pub fn find(name: &str) -> Option<&'static Provider> {
    ALL.iter()
        .copied()
        .find(|p| p.name.eq_ignore_ascii_case(name) || p.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name)))
}

/// The names of all kinds.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|p| p.name).collect()
}

/// For providers that need to know nothing of the node.
fn nothing(_: &AttachPoint, _: Uses, _: &mut Needs) {}

/// For providers whose programs may walk the kernel's stack, and need to know nothing else.
fn stacks(_: &AttachPoint, uses: Uses, needs: &mut Needs) {
    needs.unwinding |= uses.kernel_stack;
}

/// An attach point as it prints: the provider's full name, then the parts as written.
fn written(provider: &str, expand: &Expand<'_>, point: &AttachPoint) -> String {
    (0..point.parts.len()).filter_map(|index| expand.part(point, index)).fold(provider.to_owned(), |mut name, part| {
        name.push(':');
        name.push_str(&part);
        name
    })
}
