//! Numbers that stand for text, compared with text: their names are known now, so that numbers are compared.

use crate::ast::BinaryOp;
use crate::hir::{Expr, ExprKind};
use crate::span::Span;
use crate::types::Ty;

/// `left == right` or `left != right` where one side is such a number and the other a constant string.
pub fn compared(op: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
    let (number, text) = match (&left.ty, &right.ty) {
        (Ty::Enum(e), Ty::Str { .. }) if e.text => (left, right.literal()?),
        (Ty::Str { .. }, Ty::Enum(e)) if e.text => (right, left.literal()?),
        _ => return None,
    };
    let Ty::Enum(names) = &number.ty else { return None };
    let truth = |kind| Expr { kind, ty: Ty::Bool, span };
    let same = names.variants.iter().filter(|(_, name)| name == text).map(|(value, _)| {
        let (left, right) =
            (Box::new(number.clone()), Box::new(Expr { ty: number.ty.clone(), ..Expr::int(*value, span) }));
        truth(ExprKind::Compare { op: BinaryOp::Eq, signed: true, left, right })
    });
    let any = same.reduce(|one, other| {
        let (left, right) = (Box::new(one), Box::new(other));
        truth(ExprKind::Logical { and: false, left, right })
    });
    let any = any.unwrap_or_else(|| truth(ExprKind::Int(0)));
    match op {
        BinaryOp::Eq => Some(any),
        BinaryOp::Ne => Some(truth(ExprKind::Not(Box::new(any)))),
        _ => None,
    }
}
