//! `strcap(text)`: how long a string may be.

use super::Function;
use super::text::text_arg;
use crate::hir::Expr;
use crate::types::{I64, Ty};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "strcap",
    signature: "strcap(string text)",
    summary: "How many bytes the string's type has room for.",
    example: "begin { print(strcap(comm)); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let Some(text) = text_arg(checker, call, 0) else { return Expr::poison(call.span) };
        match text.ty {
            Ty::Str { size } => Expr { ty: I64, ..Expr::int(i64::from(size), call.span) },
            _ => Expr::poison(call.span),
        }
    },
};
