//! `numaid`: the number of the NUMA node.

use super::Builtin;
use crate::hir::Expr;
use crate::types::U32;
use bpf::helper::Helper;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "numaid",
    ty: "uint32",
    summary: "The number of the NUMA node.",
    example: "profile:hz:99 { @[numaid] = count(); }",
    check: |_, span| Expr::scalar("numaid", U32, span, |lowerer| lowerer.call(Helper::GetNumaNodeId, &[])),
};
