//! `len(x)`: how many elements or frames.

use super::Function;
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "len",
    signature: "len(array or tuple x)",
    summary: "How many elements an array or a tuple has.",
    example: "begin { print(len((1, 2, 3))); }",
    args: (1, 1),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(arg) = call.args.first() else { return Expr::poison(call.span) };
    if let crate::ast::ExprKind::Map(_) = arg.node {
        return checker.unsupported(call.span, "the number of a map's elements");
    }
    let value = checker.expr(arg);
    match &value.ty {
        Ty::Unknown => Expr::poison(call.span),
        Ty::Array { len, .. } => Expr::int(i64::from(*len), call.span),
        Ty::Tuple(items) => Expr::int(items.len() as i64, call.span),
        Ty::Kstack(_) | Ty::Ustack(_) => checker.unsupported(call.span, "the number of a stack's frames"),
        ty => {
            let message = format!("`{ty}` has no length");
            checker.error("E0504", arg.span, message)
        }
    }
}
