//! Which places share a program: those for which the probe's code would be the same.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::rc::Rc;

use super::{Context, Group, Site};
use crate::ast::{Expr, ExprKind, Probe};
use crate::target::{Target, TracepointFormat};
use crate::uses::Uses;
use crate::walk::{self, Node};

/// Puts a probe's places into programs.
pub(super) fn group<'a>(probe: &'a Probe, uses: Uses, target: &Target, sites: Vec<Site>, groups: &mut Vec<Group<'a>>) {
    let fields = if uses.args { fields_read(probe) } else { Some(BTreeSet::new()) };
    // By what must be equal and is quick to look up: comparing each place with each would take too long for a kernel's functions.
    let mut own = HashMap::new();
    for site in sites {
        let by_name = uses.name || uses.place || (uses.function && !target.features.knows_function(&site.context));
        let name = match &site.context {
            _ if by_name => Some(site.name.clone()),
            Context::Function(function) => Some(Rc::from(function.name.as_str())),
            _ => None,
        };
        let alike: &mut Vec<usize> = own.entry((mem::discriminant(&site.context), name)).or_default();
        let is_same = |at: &usize| {
            let other = groups.get(*at).and_then(|group| group.sites.first());
            other.is_some_and(|other| {
                other.types == site.types && are_same(&other.context, &site.context, fields.as_ref())
            })
        };
        let found = alike.iter().copied().find(is_same);
        match found.and_then(|at| groups.get_mut(at)) {
            // A script's own probes run by themselves, also when several stand before one body.
            Some(group) if site.context != Context::Script => group.sites.push(site),
            _ => {
                alike.push(groups.len());
                groups.push(Group { probe, sites: vec![site] });
            }
        }
    }
}

/// Whether a program finds the same in both contexts. Records of tracepoints need to agree in the fields that are read only, where it is
/// known which those are.
fn are_same(one: &Context, other: &Context, fields: Option<&BTreeSet<&str>>) -> bool {
    match (one, other, fields) {
        (
            Context::Record { format: Some(one), space },
            Context::Record { format: Some(other), space: other_space },
            Some(fields),
        ) => {
            let read = |format: &TracepointFormat| {
                let fields = format.fields.iter().filter(|field| fields.contains(field.name.as_str()));
                fields.cloned().collect::<BTreeSet<_>>()
            };
            let (one, other) = (read(one), read(other));
            space == other_space && one == other && one.len() == fields.len()
        }
        _ => one == other,
    }
}

/// The fields of `args` that a probe names; `None` where it takes `args` as a whole.
fn fields_read(probe: &Probe) -> Option<BTreeSet<&str>> {
    let mut fields = BTreeSet::new();
    let (mut mentions, mut named) = (0, 0);
    walk::probe(probe, &mut |node| {
        let Node::Expr(e) = node else { return };
        match &e.node {
            ExprKind::Field { base, field, .. } if is_args(base) => {
                named += 1;
                fields.insert(field.node.as_str());
            }
            ExprKind::Ident(name) if name == "args" => mentions += 1,
            ExprKind::Call { name, .. } if name.node == "args" => mentions += 1,
            _ => {}
        }
    });
    (mentions == named).then_some(fields)
}

/// Whether an expression is `args`, also as it is spelt as a call.
fn is_args(e: &Expr) -> bool {
    match &e.node {
        ExprKind::Ident(name) => name == "args",
        ExprKind::Call { name, args } => name.node == "args" && args.is_empty(),
        _ => false,
    }
}
