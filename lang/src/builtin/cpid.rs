//! `cpid`: the id of the command that runs along with the script.

use super::Builtin;
use crate::hir::{Expr, ExprKind};
use crate::types::U32;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "cpid",
    ty: "uint32",
    summary: "The process id of the command that was given with `--cmd`; 0 without one.",
    example: "tracepoint:raw_syscalls:sys_enter /pid == cpid/ { @ = count(); }",
    check: |checker, span| {
        let id = checker.options.child.unwrap_or(0);
        Expr { kind: ExprKind::Int(i64::from(id)), ty: U32, span }
    },
};
