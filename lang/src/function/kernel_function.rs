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

/// The number of a function of the kernel, where the program at hand may call it.
pub fn callable(checker: &Checker<'_>, name: &str) -> Option<u32> {
    let kind = checker.context.program_type();
    let allowed = checker.target.callable.get(name).is_some_and(|kinds| kinds.contains(&kind));
    let btf = checker.target.btf.as_deref().filter(|_| allowed)?;
    let (source, function) = btf.origin(btf.find_func(name)?);
    (source == 0).then_some(function.0)
}
