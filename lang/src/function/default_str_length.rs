//! `default_str_length()`: how long a string is whose length nothing tells.

use super::Function;
use crate::hir::Expr;
use crate::types::U64;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "default_str_length",
    signature: "default_str_length()",
    summary: "How many bytes, its NUL among them, a string has that is read without a length: max_strlen.",
    example: "begin { print(default_str_length()); }",
    args: (0, 0),
    changes_system: false,
    check: |checker, call| Expr { ty: U64, ..Expr::int(i64::from(checker.config.max_strlen), call.span) },
};
