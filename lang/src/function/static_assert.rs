//! `static_assert(condition, message)`: refuses the script where a constant condition does not hold.

use super::Function;
use crate::hir::Expr;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "static_assert",
    signature: "static_assert(const bool condition, const string message)",
    summary: "Refuses the script with a message where the condition, which is known when the script is compiled, does not hold.",
    example: r#"begin { static_assert(sizeof(comm) == 16, "names have 16 bytes"); }"#,
    args: (2, 2),
    changes_system: false,
    check: |checker, call| {
        let condition = checker.constant_arg(call, 0, None);
        let message = checker.string_arg(call, 1);
        match (condition, message) {
            (Some(0), Some(message)) if !checker.is_dead() => checker.error("E0522", call.span, message),
            (Some(_), Some(_)) => Expr::effect("static_assert", call.span, |_| {}),
            _ => Expr::poison(call.span),
        }
    },
};
