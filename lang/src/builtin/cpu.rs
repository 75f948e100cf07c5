//! `cpu`: the number of the CPU.

use super::Builtin;
use crate::hir::Expr;
use crate::types::U32;
use bpf::helper::Helper;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "cpu",
    ty: "uint32",
    summary: "The number of the CPU.",
    example: "profile:hz:99 { @[cpu] = count(); }",
    check: |_, span| Expr::scalar("cpu", U32, span, |lowerer| lowerer.call(Helper::GetSmpProcessorId, &[])),
};
