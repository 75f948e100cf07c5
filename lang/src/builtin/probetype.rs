//! `probetype`: the kind of probe.

use super::Builtin;
use crate::hir::Expr;
use crate::provider;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "probetype",
    ty: "string",
    summary: "The kind of probe, such as `kprobe`; that of `begin` and `end` is `special`.",
    example: "begin { print(probetype); }",
    check: |checker, span| {
        let name = checker.probe_name.split(':').next().unwrap_or_default();
        let kind = match provider::find(name) {
            Some(found) if !matches!(found.name, "begin" | "end") => found.name,
            _ => "special",
        };
        Expr::str(kind, span)
    },
};
