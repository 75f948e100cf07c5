//! `retval`: what the function returned.

use super::Builtin;
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::types::U64;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "retval",
    ty: "uint64",
    summary: "What the function returned.",
    example: "kretprobe:vfs_read { @bytes = lhist(retval, 0, 2000, 200); }",
    check: |checker, span| match &checker.context {
        Context::Return { .. } => {
            let offset = checker.target.arch.registers().ret;
            Expr { kind: ExprKind::Context { offset }, ty: U64, span }
        }
        _ => checker.error("E0209", span, "`retval` is known at the return of a function only"),
    },
};
