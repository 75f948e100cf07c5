//! `ncpus`: how many CPUs the node can have.

use super::Builtin;
use crate::hir::{Expr, ExprKind};
use crate::types::U64;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "ncpus",
    ty: "uint64",
    summary: "How many CPUs the node can have.",
    example: "begin { print(ncpus); }",
    check: |checker, span| Expr { kind: ExprKind::Int(i64::from(checker.target.cpus)), ty: U64, span },
};
