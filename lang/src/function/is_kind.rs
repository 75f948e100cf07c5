//! What the functions that ask what a value is have in common: the answer is known when the script is compiled.

use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::types::Ty;

/// Whether the first argument is as `is` says.
pub fn is_kind(checker: &mut Checker<'_>, call: &Call<'_>, is: fn(&Expr) -> bool) -> Expr {
    let Some(arg) = call.args.first() else { return Expr::poison(call.span) };
    let value = checker.expr(arg);
    if value.ty.is_unknown() {
        return Expr::poison(call.span);
    }
    Expr { ty: Ty::Bool, ..Expr::int(i64::from(is(&value)), call.span) }
}
