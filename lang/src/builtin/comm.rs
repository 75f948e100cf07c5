//! `comm`: the thread's name.

use super::Builtin;
use crate::hir::Expr;
use crate::lower::COMM_BYTES;
use crate::types::Ty;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "comm",
    ty: "string[16]",
    summary: "The thread's name.",
    example: "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }",
    check: |_, span| {
        let ty = Ty::Str { size: COMM_BYTES };
        Expr::memory("comm", ty, span, |lowerer, to, _| lowerer.write_comm(to))
    },
};
