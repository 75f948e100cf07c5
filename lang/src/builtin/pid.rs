//! `pid`: the process's id.

use super::Builtin;
use crate::hir::Expr;
use crate::types::U32;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "pid",
    ty: "uint32",
    summary: "The process's id.",
    example: "begin { print(pid); }",
    check: |_, span| Expr::scalar("pid", U32, span, |lowerer| lowerer.process_id()),
};
