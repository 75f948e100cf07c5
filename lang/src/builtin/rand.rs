//! `rand`: a random number.

use super::Builtin;
use crate::hir::Expr;
use crate::types::U32;
use bpf::helper::Helper;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "rand",
    ty: "uint32",
    summary: "A random number.",
    example: "tracepoint:sched:sched_switch /rand % 100 == 0/ { @ = count(); }",
    check: |_, span| Expr::scalar("rand", U32, span, |lowerer| lowerer.call(Helper::GetPrandomU32, &[])),
};
