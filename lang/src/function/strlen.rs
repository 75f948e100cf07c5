//! `strlen(text)`: how long a string is.

use super::Function;
use super::text::text_arg;
use crate::hir::Expr;
use crate::types::U64;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "strlen",
    signature: "strlen(string text)",
    summary: "How many bytes a string has before its NUL.",
    example: "tracepoint:sched:sched_process_exec { @ = hist(strlen(comm)); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let Some(text) = text_arg(checker, call, 0) else { return Expr::poison(call.span) };
        if let Some(literal) = text.literal() {
            return Expr { ty: U64, ..Expr::int(report::raw::bytes(literal).len() as i64, call.span) };
        }
        Expr::scalar("strlen", U64, call.span, move |lowerer| lowerer.text_length(&text))
    },
};
