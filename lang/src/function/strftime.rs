//! `strftime(format, nanoseconds)`: a moment as text.

use super::Function;
use crate::hir::{Expr, ExprKind};
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "strftime",
    signature: "strftime(const string format, int nanoseconds)",
    summary: "A moment, given in nanoseconds since boot as `nsecs` does, that prints as wall-clock time.",
    example: r#"tracepoint:sched:sched_process_exec { printf("%s %s\n", strftime("%H:%M:%S", nsecs), comm); }"#,
    args: (2, 2),
    changes_system: false,
    check: |checker, call| {
        let format = checker.string_arg(call, 0);
        let moment = checker.integer_arg(call, 1);
        if moment.constant().is_some_and(|value| value < 0 && moment.ty.is_signed()) {
            return checker.error("E0503", moment.span, "a moment is not before the start of the system");
        }
        let Some(format) = format else { return Expr::poison(call.span) };
        let ty = Ty::Timestamp { format: format.into() };
        Expr { kind: ExprKind::Cast(Box::new(moment)), ty, span: call.span }
    },
};
