//! `probe`: the attach point's name.

use super::Builtin;
use crate::hir::Expr;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "probe",
    ty: "string",
    summary: "The full name of the attach point that fired.",
    example: "tracepoint:sched:sched* { @[probe] = count(); }",
    check: |checker, span| {
        let name = checker.probe_name.clone();
        Expr::str(&name, span)
    },
};
