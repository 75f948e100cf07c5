//! `has_cpid`: whether a command runs along with the script.

use super::Builtin;
use crate::hir::{Expr, ExprKind};
use crate::types::Ty;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "has_cpid",
    ty: "bool",
    summary: "Whether a command was given with `--cmd`.",
    example: "begin { if (has_cpid) { print(cpid); } }",
    check: |checker, span| {
        let given = checker.options.child.is_some();
        Expr { kind: ExprKind::Int(i64::from(given)), ty: Ty::Bool, span }
    },
};
