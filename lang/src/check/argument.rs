//! Calls: finding the function, and what functions use to check their arguments.

use super::Checker;
use super::maps::MapUse;
use crate::ast::{Expr, ExprKind};
use crate::builtin;
use crate::diagnostic::Diagnostic;
use crate::function;
use crate::hir;
use crate::nearest::nearest;
use crate::span::{Span, Spanned};
use crate::types::Ty;

/// A call as written.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The function's name.
    pub name: &'a Spanned<String>,
    /// What is in the parentheses.
    pub args: &'a [Expr],
    /// All of it.
    pub span: Span,
}

impl Checker<'_> {
    pub(super) fn call(&mut self, name: &Spanned<String>, args: &[Expr], span: Span) -> hir::Expr {
        let call = Call { name, args, span };
        if let Some(found) = function::find(&name.node) {
            if found.changes_system && !self.options.unsafe_allowed {
                let message = format!("{}() is unsafe. To use you need the --unsafe flag", name.node);
                self.report(Diagnostic::error("E0502", span, message).help("it changes the system"));
                return hir::Expr::poison(span);
            }
            return match self.count_args(&call, found.args.0, found.args.1, found.signature) {
                true => (found.check)(self, &call),
                false => hir::Expr::poison(span),
            };
        }
        if let Some(found) = builtin::find(&name.node) {
            return match self.count_args(&call, 0, 0, name.node.as_str()) {
                true => (found.check)(self, span),
                false => hir::Expr::poison(span),
            };
        }
        let d = Diagnostic::error("E0202", name.span, format!("unknown function `{}`", name.node));
        let d = match nearest(&name.node, function::names()) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d,
        };
        self.report(d);
        hir::Expr::poison(span)
    }

    fn count_args(&mut self, call: &Call<'_>, least: usize, most: usize, signature: &str) -> bool {
        let given = call.args.len();
        if (least..=most).contains(&given) {
            return true;
        }
        let wanted = match (least, most) {
            (0, 0) => "no arguments".into(),
            (a, b) if a == b => format!("{a} argument{}", if a == 1 { "" } else { "s" }),
            (a, usize::MAX) => format!("at least {a} argument{}", if a == 1 { "" } else { "s" }),
            (a, b) => format!("{a} to {b} arguments"),
        };
        let message = format!("`{}` takes {wanted}, {given} given", call.name.node);
        self.report(Diagnostic::error("E0501", call.span, message).help(format!("it is called as `{signature}`")));
        false
    }

    /// An argument that is a constant integer, or `default` where it is not given.
    pub fn constant_arg(&mut self, call: &Call<'_>, index: usize, default: Option<i64>) -> Option<i64> {
        let Some(arg) = call.args.get(index) else { return default };
        let checked = self.expr(arg);
        if let Some(value) = checked.constant() {
            return Some(value);
        }
        if !checked.ty.is_unknown() {
            self.error("E0503", arg.span, format!("argument {} of `{}` is a constant", index + 1, call.name.node));
        }
        None
    }

    /// An argument that is a constant string.
    pub fn string_arg(&mut self, call: &Call<'_>, index: usize) -> Option<String> {
        let arg = call.args.get(index)?;
        if let ExprKind::Str(text) = &arg.node {
            return Some(text.clone());
        }
        let checked = self.expr(arg);
        if let Some(text) = checked.literal() {
            return Some(text.to_owned());
        }
        if !checked.ty.is_unknown() {
            self.error(
                "E0503",
                arg.span,
                format!("argument {} of `{}` is a constant string", index + 1, call.name.node),
            );
        }
        None
    }

    /// An argument that must be an integer.
    pub fn integer_arg(&mut self, call: &Call<'_>, index: usize) -> hir::Expr {
        match call.args.get(index) {
            Some(arg) => self.integer(arg),
            None => hir::Expr::poison(call.span),
        }
    }

    /// An argument that is a number or an address.
    pub fn address_arg(&mut self, call: &Call<'_>, index: usize) -> hir::Expr {
        let Some(arg) = call.args.get(index) else { return hir::Expr::poison(call.span) };
        let checked = self.expr(arg);
        match &checked.ty {
            Ty::Pointer { .. } | Ty::Ksym | Ty::Unknown => checked,
            ty if ty.is_integer() => checked,
            ty => {
                let message = format!("argument {} of `{}` is an address, not `{ty}`", index + 1, call.name.node);
                self.error("E0504", arg.span, message)
            }
        }
    }

    /// An argument that names a map without a key.
    pub fn map_arg(&mut self, call: &Call<'_>, index: usize) -> Option<MapUse> {
        let arg = call.args.get(index)?;
        match &arg.node {
            ExprKind::Map(name) => {
                self.require_assigned(name, arg.span);
                Some(self.plain_map(name, arg.span))
            }
            _ => {
                let message = format!("argument {} of `{}` is a map", index + 1, call.name.node);
                self.error("E0505", arg.span, message);
                None
            }
        }
    }

    /// An element of a map, as `@m[key]`, or as a map and a key in two arguments from `index` on.
    pub fn element_arg(&mut self, call: &Call<'_>, index: usize) -> Option<MapUse> {
        let arg = call.args.get(index)?;
        match (&arg.node, call.args.get(index + 1)) {
            (ExprKind::MapAccess { name, key }, None) => {
                let key = self.key(key, arg.span);
                self.require_assigned(&name.node, arg.span);
                Some(self.map_use(name, Some(key), arg.span))
            }
            (ExprKind::Map(name), Some(key)) => {
                if self.maps.is_scalar(name) {
                    let message =
                        format!("call to {}() expects a map with explicit keys (non-scalar map)", call.name.node);
                    self.error("E0601", arg.span, message);
                    return None;
                }
                let key = self.key(std::slice::from_ref(key), key.span);
                let name = Spanned { node: name.clone(), span: arg.span };
                self.require_assigned(&name.node, arg.span);
                Some(self.map_use(&name, Some(key), arg.span))
            }
            (ExprKind::Map(name), None) => {
                self.require_assigned(name, arg.span);
                Some(self.plain_map(name, arg.span))
            }
            _ => {
                let message = format!("`{}` takes a map and a key", call.name.node);
                self.error("E0505", arg.span, message);
                None
            }
        }
    }
}
