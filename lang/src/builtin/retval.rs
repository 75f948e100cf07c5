//! `retval`: what the function returned.

use super::{Builtin, typed};
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
        Context::Return { typed, .. } => {
            let typed = typed.clone();
            let offset = checker.target.arch.registers().ret;
            let whole = Expr { kind: ExprKind::Context { offset }, ty: U64, span };
            match typed {
                Some(function) => typed::as_returned(checker, &function, whole, span),
                None => whole,
            }
        }
        Context::Function(function) if function.ret => {
            let function = function.clone();
            typed::returned(checker, &function, span)
        }
        _ => checker.error("E0209", span, "`retval` is known at the return of a function only"),
    },
};
