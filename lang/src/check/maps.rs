//! What is known of the script's maps: key and value types, put together from all uses.

use std::collections::BTreeMap;

use super::Checker;
use super::soft::{Soft, unify_soft};
use crate::ast::{ExprKind, StmtKind};
use crate::diagnostic::Diagnostic;
use crate::expand::Group;
use crate::hir::{self, Map, MapInfo};
use crate::nearest::nearest;
use crate::span::{Span, Spanned};
use crate::types::{Ty, told_apart};
use crate::walk::{self, Node};

/// A type put together from several values.
#[derive(Clone, Debug, Default)]
pub struct Inferred {
    /// `None` until a value was seen.
    pub ty: Option<Ty>,
    /// What of it only constants not below zero were seen of.
    pub soft: Soft,
    /// Where the type comes from.
    pub span: Span,
}

/// What came of adding a value to an [`Inferred`] type.
#[derive(Debug, PartialEq, Eq)]
pub enum Joined {
    /// The type holds it already.
    Same,
    /// The type is now wider.
    Changed,
    /// No type holds both.
    Mismatch,
}

impl Inferred {
    /// Makes the type wide enough for values of `ty`.
    pub fn join(&mut self, ty: &Ty, soft: &Soft, span: Span) -> Joined {
        let Some(old) = &self.ty else {
            *self = Self { ty: Some(ty.clone()), soft: soft.clone(), span };
            return Joined::Changed;
        };
        let Some((joined, soft)) = unify_soft((old, &self.soft), (ty, soft)) else { return Joined::Mismatch };
        let changed = joined != *old || soft != self.soft;
        let was_unknown = old.is_unknown();
        self.soft = soft;
        self.ty = Some(joined);
        if was_unknown {
            self.span = span;
        }
        if changed { Joined::Changed } else { Joined::Same }
    }
}

/// One map.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// Where it was first seen, if anywhere.
    seen: Option<Span>,
    keyed: Option<(bool, Span)>,
    key: Inferred,
    value: Inferred,
    entries: Option<u32>,
    evicts: bool,
}

/// All maps.
#[derive(Debug, Default)]
pub struct Maps {
    entries: BTreeMap<String, Entry>,
    changed: bool,
}

impl Maps {
    /// Whether a map has no key, as far as the script has been read.
    pub(super) fn is_scalar(&self, name: &str) -> bool {
        self.entries.get(name).is_some_and(|entry| matches!(entry.keyed, Some((false, _))))
    }

    /// The names of all maps that the probes mention which attach somewhere.
    pub fn of(groups: &[Group<'_>]) -> Self {
        let mut entries = BTreeMap::new();
        let mut note = |node: Node<'_>| {
            let name = match node {
                Node::Expr(e) => match &e.node {
                    ExprKind::Map(name) => name,
                    ExprKind::MapAccess { name, .. } => &name.node,
                    _ => return,
                },
                Node::Stmt(s) => match &s.node {
                    StmtKind::ForMap { map, .. } => &map.node,
                    _ => return,
                },
                Node::Type(_) => return,
            };
            entries.entry(name.clone()).or_insert_with(Entry::default);
        };
        for group in groups {
            walk::probe(group.probe, &mut note);
        }
        // A map that is declared and never used is none: nothing tells its types.
        Self { entries, changed: false }
    }

    /// Whether a type changed since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    fn index(&self, name: &str) -> Map {
        Map(self.entries.keys().position(|n| n == name).unwrap_or_default() as u16)
    }
}

/// A map as an expression names it: with or without key.
#[derive(Debug)]
pub struct MapUse {
    /// Which.
    pub map: Map,
    /// The key, checked.
    pub key: Option<hir::Expr>,
    /// With the sigil.
    pub name: String,
    /// All of it.
    pub span: Span,
}

impl Checker<'_> {
    /// Takes over `let @name = kind(entries);`.
    pub(super) fn declare_maps(&mut self) {
        for declaration in &self.script.map_decls {
            let kind = &declaration.kind;
            if !matches!(kind.node.as_str(), "hash" | "percpuhash" | "percpuarray" | "lruhash" | "percpulruhash") {
                let known = "hash, percpuhash, percpuarray, lruhash or percpulruhash";
                let message = format!("unknown kind of map `{}`", kind.node);
                self.report(Diagnostic::error("E0607", kind.span, message).help(format!("use {known}")));
                continue;
            }
            let name = &declaration.name;
            if !self.maps.entries.contains_key(&name.node) {
                self.report(Diagnostic::warning("W0601", name.span, format!("Unused map: {}", name.node)));
                continue;
            }
            let Some(entries) = &declaration.entries else { continue };
            let value = self.expr(entries);
            match value.constant().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0) {
                Some(n) => {
                    if let Some(entry) = self.maps.entries.get_mut(&declaration.name.node) {
                        entry.entries = Some(n);
                        entry.evicts = kind.node.contains("lru");
                    }
                }
                None => {
                    self.error("E0608", entries.span, "a map's size is a constant above zero");
                }
            }
        }
    }

    /// A map named without a key.
    pub fn plain_map(&mut self, name: &str, span: Span) -> MapUse {
        MapUse { map: self.maps.index(name), key: None, name: name.to_owned(), span }
    }

    /// A map with the key it is accessed by; `None` for a map without key.
    pub fn map_use(&mut self, name: &Spanned<String>, key: Option<hir::Expr>, span: Span) -> MapUse {
        let map = self.maps.index(&name.node);
        if let Some(entry) = self.maps.entries.get_mut(&name.node) {
            entry.seen.get_or_insert(name.span);
            let (keyed, first) = *entry.keyed.get_or_insert((key.is_some(), span));
            if keyed != key.is_some() {
                let (has, is) = if keyed { ("a key", "without one") } else { ("no key", "with one") };
                self.report(
                    Diagnostic::error("E0601", span, format!("`{}` has {has}, but is used {is} here", name.node))
                        .related(first, "its key is decided here"),
                );
                return MapUse { map, key: None, name: name.node.clone(), span };
            }
        }
        if let Some(key) = &key {
            self.join_key(&name.node, key);
        }
        MapUse { map, key, name: name.node.clone(), span }
    }

    fn join_key(&mut self, name: &str, key: &hir::Expr) {
        let soft = self.softness(key);
        let Some(entry) = self.maps.entries.get_mut(name) else { return };
        match entry.key.join(&key.ty, &soft, key.span) {
            Joined::Same => {}
            Joined::Changed => self.maps.changed = true,
            Joined::Mismatch => {
                let old = entry.key.ty.clone().unwrap_or(Ty::Unknown);
                let first = entry.key.span;
                let (new, old) = told_apart(&key.ty, &old);
                let message = format!(
                    "Argument mismatch for {name}: trying to access with arguments: '{new}' when map expects arguments: '{old}'"
                );
                self.report(
                    Diagnostic::error("E0602", key.span, message).related(first, "its key type is decided here"),
                );
            }
        }
    }

    /// Records that values of `ty` are assigned to a map.
    pub fn assign_map(&mut self, target: &MapUse, ty: &Ty, soft: &Soft, span: Span) {
        let Some(entry) = self.maps.entries.get_mut(&target.name) else { return };
        match entry.value.join(ty, soft, span) {
            Joined::Same => {}
            Joined::Changed => self.maps.changed = true,
            Joined::Mismatch => {
                let old = entry.value.ty.clone().unwrap_or(Ty::Unknown);
                let first = entry.value.span;
                let name = &target.name;
                let (ty, old) = told_apart(ty, &old);
                let message = format!("type mismatch for `{name}`: `{ty}` is assigned here, but it holds `{old}`");
                self.report(Diagnostic::error("E0603", span, message).related(first, "its type is decided here"));
            }
        }
    }

    /// Whether a map's values are soft.
    pub(super) fn map_softness(&self, map: Map) -> Soft {
        self.maps.entries.values().nth(usize::from(map.0)).map(|entry| entry.value.soft.clone()).unwrap_or_default()
    }

    /// The type that a map's values need, which may be less than what they are kept as.
    pub(super) fn needed_type(&self, name: &str) -> Ty {
        self.maps.entries.get(name).and_then(|entry| entry.value.ty.clone()).unwrap_or(Ty::Unknown)
    }

    /// The type of a map's values, `Unknown` while nothing was assigned.
    pub fn map_value(&self, name: &str) -> Ty {
        match self.maps.entries.get(name).and_then(|e| e.value.ty.clone()) {
            // Plain integers are kept in 64 bits.
            Some(Ty::Int { signed, .. }) => Ty::Int { bytes: 8, signed },
            Some(ty) => ty,
            None => Ty::Unknown,
        }
    }

    /// The type of a map's key, `Unknown` while no key was seen; `None` for a map without key.
    pub fn map_key(&self, name: &str) -> Option<Ty> {
        let entry = self.maps.entries.get(name)?;
        match entry.keyed {
            Some((false, _)) => None,
            _ => Some(entry.key.ty.clone().unwrap_or(Ty::Unknown)),
        }
    }

    /// Reports the use of a map that nothing is ever assigned to.
    pub fn require_assigned(&mut self, name: &str, span: Span) {
        let assigned = self.maps.entries.get(name).is_some_and(|e| e.value.ty.is_some());
        // Another probe may assign it, one that is left out on this node: that has been said already.
        let elsewhere = self.script.probes.iter().any(|probe| assigns(probe, name));
        if assigned || (elsewhere && self.incomplete) {
            return;
        }
        let others = self.maps.entries.iter().filter(|(_, e)| e.value.ty.is_some()).map(|(n, _)| n.as_str());
        let d = Diagnostic::error("E0604", span, format!("nothing is ever assigned to map `{name}`"));
        let d = match nearest(name, others) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d,
        };
        self.report(d);
    }

    pub(super) fn finish_maps(&mut self) -> Vec<MapInfo> {
        let entries = std::mem::take(&mut self.maps.entries);
        let infos: Vec<MapInfo> = entries
            .iter()
            .map(|(name, entry)| MapInfo {
                name: name.clone(),
                key: entry.keyed.is_some_and(|(keyed, _)| keyed).then(|| entry.key.ty.clone().unwrap_or(Ty::Unknown)),
                value: match entry.value.ty.clone() {
                    Some(Ty::Int { signed, .. }) => Ty::Int { bytes: 8, signed },
                    Some(ty) => ty,
                    None => Ty::Unknown,
                },
                entries: entry.entries.unwrap_or(self.config.max_map_keys),
                evicts: entry.evicts,
                span: entry.seen.unwrap_or_default(),
            })
            .collect();
        self.maps.entries = entries;
        infos
    }
}

/// Whether a probe's text assigns a map.
fn assigns(probe: &crate::ast::Probe, name: &str) -> bool {
    let mut found = false;
    walk::probe(probe, &mut |node| {
        let target = match node {
            Node::Stmt(stmt) => match &stmt.node {
                StmtKind::Assign { target, .. } => target,
                _ => return,
            },
            Node::Expr(e) => match &e.node {
                ExprKind::Step { target, .. } => target,
                _ => return,
            },
            Node::Type(_) => return,
        };
        found |= match &target.node {
            ExprKind::Map(map) => map == name,
            ExprKind::MapAccess { name: map, .. } => map.node == name,
            _ => false,
        };
    });
    found
}
