//! Programs that run at a function's entry and at its return, with one link for both (`BPF_TRACE_KPROBE_SESSION`).
//!
//! Two probes become one program where they are about the entry and the return of the same functions. Source of the order in which the
//! kernel calls it: `kprobe_multi_link_prog_run` in kernel/trace/bpf_trace.c.

use std::collections::BTreeSet;

use bpf::helper::Helper;

use super::Lowerer;
use crate::compiled::Attach;
use crate::hir::Probe;
use crate::ir::{BlockId, Cmp, Width};
use crate::target::Target;

/// How far behind a function's start it calls its tracers at most. What follows there cannot be a return address yet: the first
/// instruction after that is no call.
const PROLOGUE: i64 = 16;

impl Lowerer<'_> {
    /// Goes on where a function is entered; where it returns, to the block that is returned.
    ///
    /// At the entry the instruction pointer stands at the function's start, at its return anywhere else. Kernel 5.17 for the function's
    /// address.
    pub(super) fn branch_on_return(&mut self) -> BlockId {
        let returning = self.b.new_block();
        let context = self.b.context();
        let function = self.b.call(Helper::GetFuncIp, &[context.into()]);
        let context = self.b.context();
        let at = self.b.load(context, self.unit.target.arch.registers().ip, Width::B8, false);
        let beyond = self.b.sub(at, function);
        self.b.branch_if(Cmp::UGt, beyond, PROLOGUE, returning);
        returning
    }
}

/// What becomes a program each: a probe's place among all, the probe, and that of the return where both share the program.
pub fn bodies<'p>(probes: &'p [Probe], target: &Target) -> Vec<(usize, &'p Probe, Option<&'p Probe>)> {
    let mut bodies = vec![];
    for (index, (probe, partner)) in probes.iter().zip(pairs(probes, target)).enumerate() {
        let partner = partner.and_then(|partner| probes.get(partner));
        let is_entry = probe.sites.iter().any(|site| matches!(site.attach, Attach::Kprobe { .. }));
        // The probe of a return with a partner is a part of the other's program.
        if partner.is_none() || is_entry {
            bodies.push((index, probe, partner));
        }
    }
    bodies
}

/// For each probe its partner: the one of the return for one of the entry, and the other way round.
fn pairs(probes: &[Probe], target: &Target) -> Vec<Option<usize>> {
    let mut partners = vec![None; probes.len()];
    if !target.features.kprobe_session {
        return partners;
    }
    for (index, probe) in probes.iter().enumerate() {
        let Some((false, functions)) = functions(probe, target) else { continue };
        let is = |other: &&(usize, &Probe), ret| {
            self::functions(other.1, target).as_ref() == Some(&(ret, functions.clone()))
        };
        let same = |ret| probes.iter().enumerate().filter(move |other| is(&other, ret)).map(|(index, _)| index);
        let entries: Vec<usize> = same(false).collect();
        let returns: Vec<usize> = same(true).collect();
        // Of several for one function it is not said which two belong together.
        if let ([_], [other]) = (entries.as_slice(), returns.as_slice()) {
            for (at, partner) in [(index, *other), (*other, index)] {
                if let Some(slot) = partners.get_mut(at) {
                    *slot = Some(partner);
                }
            }
        }
    }
    partners
}

/// Whether a probe is about the return of functions, and of which; `None` where it is about anything else, or needs a program of its own.
fn functions<'p>(probe: &'p Probe, target: &Target) -> Option<(bool, BTreeSet<&'p str>)> {
    let mut ret = None;
    let mut names = BTreeSet::new();
    for site in &probe.sites {
        let (name, at_return) = match &site.attach {
            Attach::Kprobe { function, offset: 0 } => (function, false),
            Attach::Kretprobe { function } => (function, true),
            _ => return None,
        };
        let traced = target.functions.contains_key(name) && !target.untraceable.contains(name);
        if !traced || *ret.get_or_insert(at_return) != at_return {
            return None;
        }
        names.insert(name.as_str());
    }
    ret.filter(|_| !probe.has_functions).map(|ret| (ret, names))
}
