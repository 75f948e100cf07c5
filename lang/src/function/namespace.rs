//! What `pid` and `tid` have in common: the pid namespace in which an id is wanted.

use crate::ast::ExprKind;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;
use crate::hir::Expr;
use crate::ir::Operand;
use crate::lower::Lowerer;
use crate::types::U32;

/// How an id is found out.
type LowerId = for<'a> fn(&mut Lowerer<'a>) -> Operand;

/// An id in the namespace that a call names: as `current` finds it in that of whoever traces, as `first` does in the node's first.
pub fn id(checker: &mut Checker<'_>, call: &Call<'_>, name: &'static str, current: LowerId, first: LowerId) -> Expr {
    let lower = match call.args.first().map(|arg| &arg.node) {
        None => current,
        Some(ExprKind::Ident(namespace)) if namespace == "curr_ns" => current,
        Some(ExprKind::Ident(namespace)) if namespace == "init" => first,
        Some(_) => {
            let message = format!("Invalid PID namespace mode: `{name}` takes curr_ns or init");
            let span = call.args.first().map_or(call.span, |arg| arg.span);
            checker.report(Diagnostic::error("E0524", span, message));
            return Expr::poison(call.span);
        }
    };
    Expr::scalar(name, U32, call.span, lower)
}
