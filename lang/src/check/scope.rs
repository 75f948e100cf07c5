//! Scratch variables: where a name is visible, and what type its values have.
//!
//! A variable lives from its `let` to the end of the block that stands in. One without `let` is still found behind the block of its
//! first assignment, as scripts for older versions of the language expect; it is zero or empty where nothing was assigned. Types are kept
//! from round to round; variables are told apart by the order of their declarations in the probe.

use std::collections::{BTreeSet, HashMap};

use super::Checker;
use super::maps::{Inferred, Joined};
use super::soft::Soft;
use crate::diagnostic::Diagnostic;
use crate::hir::{self, ExprKind, Var};
use crate::nearest::nearest;
use crate::span::{Span, Spanned};
use crate::types::{I64, Ty, U64, told_apart, unify};

/// One variable.
#[derive(Clone, Debug, Default)]
struct Variable {
    inferred: Inferred,
    /// Declared with `let`.
    declared: bool,
    /// Written with a type, which then does not widen.
    fixed: Option<Ty>,
}

/// The variables of all probes.
#[derive(Debug, Default)]
pub struct Scopes {
    /// For each probe its variables in order of declaration.
    probes: Vec<Vec<Variable>>,
    current: usize,
    next: u32,
    visible: Vec<HashMap<String, Var>>,
    /// Variables without `let` of blocks that have ended.
    ended: HashMap<String, Var>,
    /// Those of them that were used since.
    early: BTreeSet<Var>,
    /// Those whose address was taken.
    addressed: BTreeSet<Var>,
    changed: bool,
}

impl Scopes {
    /// Starts a probe: nothing is visible.
    pub fn enter_probe(&mut self, index: usize) {
        if self.probes.len() <= index {
            self.probes.resize_with(index + 1, Vec::new);
        }
        self.current = index;
        self.next = 0;
        self.visible.clear();
        self.ended.clear();
        self.early.clear();
        self.addressed.clear();
    }

    /// The variables of the probe whose address was taken.
    pub fn take_addressed(&mut self) -> Vec<Var> {
        std::mem::take(&mut self.addressed).into_iter().collect()
    }

    /// Ends a probe: the types of its variables, and those that must have a value from the start.
    pub fn leave_probe(&mut self) -> (Vec<Ty>, Vec<Var>) {
        let types = (0..self.next).map(|index| self.ty(Var(index))).collect();
        (types, std::mem::take(&mut self.early).into_iter().collect())
    }

    /// Whether a type changed since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Starts a block.
    pub fn open(&mut self) {
        self.visible.push(HashMap::new());
    }

    /// Ends a block.
    pub fn close(&mut self) {
        for (name, var) in self.visible.pop().unwrap_or_default() {
            if self.variable(var).is_some_and(|variable| !variable.declared) {
                self.ended.insert(name, var);
            }
        }
    }

    fn find(&self, name: &str) -> Option<Var> {
        self.visible.iter().rev().find_map(|scope| scope.get(name).copied())
    }

    /// A variable of a block that has ended, which from now on has a value from the start of the probe.
    fn find_ended(&mut self, name: &str) -> Option<Var> {
        let var = self.ended.get(name).copied()?;
        self.early.insert(var);
        Some(var)
    }

    fn declare(&mut self, name: &str) -> Var {
        let var = Var(self.next);
        self.next += 1;
        if let Some(probe) = self.probes.get_mut(self.current)
            && probe.len() < self.next as usize
        {
            probe.resize_with(self.next as usize, Variable::default);
        }
        if let Some(scope) = self.visible.last_mut() {
            scope.insert(name.to_owned(), var);
        }
        var
    }

    fn variable(&self, var: Var) -> Option<&Variable> {
        self.probes.get(self.current)?.get(var.0 as usize)
    }

    fn ty(&self, var: Var) -> Ty {
        let Some(variable) = self.variable(var) else { return Ty::Unknown };
        variable.fixed.clone().or_else(|| variable.inferred.ty.clone()).unwrap_or(Ty::Unknown)
    }
}

impl Checker<'_> {
    /// Starts a block of variables.
    pub(super) fn open_scope(&mut self) {
        self.scopes.open();
    }

    /// Ends a block of variables.
    pub(super) fn close_scope(&mut self) {
        self.scopes.close();
    }

    /// Declares a variable in the current block, with its type where that is written.
    pub(super) fn declare(&mut self, name: &Spanned<String>, ty: Option<Ty>) -> Var {
        let in_this_block = self.scopes.visible.last().is_some_and(|scope| scope.contains_key(&name.node));
        if in_this_block {
            self.error("E0204", name.span, format!("`{}` is declared twice in this block", name.node));
        }
        let var = self.scopes.declare(&name.node);
        if let Some(variable) = self.scopes.probes.get_mut(self.scopes.current).and_then(|p| p.get_mut(var.0 as usize))
        {
            variable.fixed = ty;
            variable.declared = true;
        }
        var
    }

    /// The variable `name` if it is visible, or was in a block before and holds such values; else a new one of the current block.
    pub(super) fn variable_for_assignment(&mut self, name: &str, value: &Ty) -> Var {
        if let Some(var) = self.scopes.find(name) {
            return var;
        }
        match self.scopes.find_ended(name).filter(|var| unify(&self.scopes.ty(*var), value).is_some()) {
            Some(var) => var,
            None => self.scopes.declare(name),
        }
    }

    /// Records that a value is assigned to a variable.
    pub(super) fn assign_variable(&mut self, var: Var, name: &str, value: &hir::Expr) {
        let soft = self.softness(value);
        let current = self.scopes.current;
        let Some(variable) = self.scopes.probes.get_mut(current).and_then(|p| p.get_mut(var.0 as usize)) else {
            return;
        };
        let mismatch = match &variable.fixed {
            Some(ty) => (!fits(ty, value)).then(|| (ty.clone(), None)),
            None => {
                let joined = variable.inferred.join(&value.ty, &soft, value.span);
                self.scopes.changed |= joined == Joined::Changed;
                (joined == Joined::Mismatch)
                    .then(|| (variable.inferred.ty.clone().unwrap_or(Ty::Unknown), Some(variable.inferred.span)))
            }
        };
        if let Some((old, first)) = mismatch {
            let (new, old) = told_apart(&value.ty, &old);
            let message = format!("type mismatch for `{name}`: `{new}` is assigned here, but it holds `{old}`");
            let d = Diagnostic::error("E0205", value.span, message);
            self.report(match first {
                Some(first) => d.related(first, "its type is decided here"),
                None => d,
            });
        }
    }

    /// Notes that a variable is counted up or down, for which it must not be narrow; one written with a type keeps it.
    pub(super) fn count_variable(&mut self, var: Var, name: &str, up: bool, span: Span) -> Ty {
        let ty = self.scopes.ty(var);
        let fixed = self.scopes.variable(var).is_some_and(|variable| variable.fixed.is_some());
        if ty.is_integer() && !fixed {
            let wide = if up && !ty.is_signed() { U64 } else { I64 };
            self.assign_variable(var, name, &hir::Expr { kind: ExprKind::Poison, ty: wide, span });
        }
        self.scopes.ty(var)
    }

    /// Whether the values of a variable are soft.
    pub(super) fn variable_softness(&self, var: Var) -> Soft {
        self.scopes.variable(var).map(|variable| variable.inferred.soft.clone()).unwrap_or_default()
    }

    /// Has a variable written with a type, that of a loop over numbers, be soft.
    pub(super) fn soften(&mut self, var: Var, soft: Soft) {
        let current = self.scopes.current;
        if let Some(variable) = self.scopes.probes.get_mut(current).and_then(|p| p.get_mut(var.0 as usize)) {
            variable.inferred.soft = soft;
        }
    }

    /// Notes that the address of a variable is taken.
    pub(super) fn take_address(&mut self, var: Var) {
        self.scopes.addressed.insert(var);
    }

    /// The variable `name`, which a function sets to a value of `ty`; made where there is none.
    pub fn assign_out(&mut self, name: &str, ty: &Ty, span: Span) -> Var {
        let is_new = self.scopes.find(name).is_none();
        let var = self.variable_for_assignment(name, ty);
        if is_new {
            // It may be that nothing is written to it.
            self.scopes.early.insert(var);
        }
        let value = hir::Expr { kind: ExprKind::Poison, ty: ty.clone(), span };
        self.assign_variable(var, name, &value);
        var
    }

    /// The value of a variable.
    pub(super) fn variable(&mut self, name: &str, span: Span) -> hir::Expr {
        if let Some(var) = self.scopes.find(name).or_else(|| self.scopes.find_ended(name)) {
            return hir::Expr { kind: ExprKind::Var(var), ty: self.scopes.ty(var), span };
        }
        let d = Diagnostic::error("E0203", span, format!("undefined variable `{name}`"));
        let visible = self.scopes.visible.iter().flat_map(|scope| scope.keys()).map(String::as_str);
        let d = match nearest(name, visible) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d.help("a variable is visible from its first assignment to the end of the block that stands in"),
        };
        self.report(d);
        hir::Expr::poison(span)
    }

    /// The visible variable of this name and its type.
    pub(super) fn find_variable(&mut self, name: &str) -> Option<(Var, Ty)> {
        let var = self.scopes.find(name).or_else(|| self.scopes.find_ended(name))?;
        Some((var, self.scopes.ty(var)))
    }
}

/// Whether a variable declared as `ty` takes a value.
fn fits(ty: &Ty, value: &hir::Expr) -> bool {
    match (ty, &value.ty) {
        (_, Ty::Unknown) | (Ty::Unknown, _) => true,
        (Ty::Int { bytes, signed }, Ty::Int { .. }) => match value.constant() {
            Some(constant) => value.ty == U64 && *bytes == 8 || holds(*bytes, *signed, constant),
            None => true,
        },
        (a, b) if a.is_integer() && b.is_integer() => true,
        (Ty::Str { size: most }, Ty::Str { size }) => size <= most,
        (Ty::Pointer { .. }, Ty::Pointer { .. }) => true,
        (Ty::Array { element: a, len }, Ty::Array { element: b, len: other }) => {
            let pointers = matches!((&**a, &**b), (Ty::Pointer { .. }, Ty::Pointer { .. }));
            len == other && (pointers || a == b)
        }
        (Ty::Tuple(wanted), Ty::Tuple(given)) => {
            let items = match &value.kind {
                ExprKind::Tuple(items) => items.as_slice(),
                _ => &[],
            };
            let component = |index: usize, ty: &Ty| match items.get(index) {
                Some(item) => item.clone(),
                None => hir::Expr { kind: ExprKind::Poison, ty: ty.clone(), span: value.span },
            };
            let mut pairs = wanted.iter().zip(given.iter()).enumerate();
            wanted.len() == given.len() && pairs.all(|(index, (wanted, ty))| fits(wanted, &component(index, ty)))
        }
        (a, b) => a == b,
    }
}

/// Whether an integer of so many bytes can be `value`.
fn holds(bytes: u8, signed: bool, value: i64) -> bool {
    let bits = u32::from(bytes.min(8)) * 8;
    match (bits, signed) {
        (64, true) => true,
        (64, false) => value >= 0,
        (bits, true) => (-(1i64 << (bits - 1))..1i64 << (bits - 1)).contains(&value),
        (bits, false) => (0..1i64 << bits).contains(&value),
    }
}
