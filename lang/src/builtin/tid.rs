//! `tid`: the thread's id.

use super::Builtin;
use crate::hir::Expr;
use crate::types::U32;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "tid",
    ty: "uint32",
    summary: "The thread's id.",
    example: "begin { print(tid); }",
    check: |_, span| Expr::scalar("tid", U32, span, |lowerer| lowerer.thread_id()),
};
