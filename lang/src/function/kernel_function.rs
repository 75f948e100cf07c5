//! What the functions that ask about functions of the kernel have in common: an answer that is known when a script is compiled.

use crate::check::{Call, Checker};
use crate::hir::{Expr, ExprKind};
use crate::types::Ty;

/// Whether the kernel's types tell a function by the name that is the call's first argument.
pub fn is_known(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(name) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
    let known = checker.target.btf.as_ref().is_some_and(|btf| btf.find_func(&name).is_some());
    Expr { kind: ExprKind::Int(i64::from(known)), ty: Ty::Bool, span: call.span }
}
