//! `comptime value`: what must be known when the script is compiled. Of an `if` over it only the branch that is taken is looked at.

use super::Checker;
use crate::ast::{Block, Expr, ExprKind as Ast, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, ExprKind};
use crate::span::Span;

/// The branch of an `if` that is taken, where that is to be known when the script is compiled.
pub(super) enum Chosen<'b> {
    /// It is known when the script runs.
    Later,
    /// This, or none.
    Now(Option<&'b Block>),
}

impl Checker<'_> {
    pub(super) fn comptime(&mut self, operand: &Expr, span: Span) -> hir::Expr {
        let value = self.expr(operand);
        if value.ty.is_unknown() || is_known(&value) {
            return hir::Expr { span, ..value };
        }
        self.report(
            Diagnostic::error("E0325", operand.span, "this is not known when the script is compiled").help(
                "`comptime` takes constants and what is known of types, as `is_str(x)`, `sizeof(x)` and `typeinfo(x)` tell it",
            ),
        );
        hir::Expr::poison(span)
    }
}

/// What an `if` chooses, given its condition as it was written and as it was understood.
pub(super) fn chosen<'b>(
    written: &Expr,
    condition: &hir::Expr,
    then: &'b Block,
    otherwise: Option<&'b Block>,
) -> Chosen<'b> {
    if !matches!(written.node, Ast::Unary { op: UnaryOp::Comptime, .. }) {
        return Chosen::Later;
    }
    match condition.constant() {
        Some(0) => Chosen::Now(otherwise),
        Some(_) => Chosen::Now(Some(then)),
        // What is wrong with it has been said, or its type is not known yet.
        None => Chosen::Now(None),
    }
}

/// Whether a value is a constant, or made of constants.
pub(super) fn is_known(e: &hir::Expr) -> bool {
    match &e.kind {
        ExprKind::Tuple(items) => items.iter().all(is_known),
        _ => e.constant().is_some() || e.literal().is_some(),
    }
}

/// Whether two values are equal, where both are known when the script is compiled.
pub(super) fn are_same(left: &hir::Expr, right: &hir::Expr) -> Option<bool> {
    match (&left.kind, &right.kind) {
        (ExprKind::Tuple(left), ExprKind::Tuple(right)) if left.len() == right.len() => {
            let mut same = true;
            for (left, right) in left.iter().zip(right) {
                same &= are_same(left, right)?;
            }
            Some(same)
        }
        _ => match (left.literal(), right.literal()) {
            (Some(left), Some(right)) => Some(left == right),
            _ => Some(left.constant()? == right.constant()?),
        },
    }
}
