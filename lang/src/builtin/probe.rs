//! `probe`: the attach point's name.

use super::Builtin;
use crate::expand::Context;
use crate::hir::Expr;
use crate::lower::name_bytes;
use crate::types::Ty;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "probe",
    ty: "string",
    summary: "The full name of the attach point that fired.",
    example: "tracepoint:sched:sched* { @[probe] = count(); }",
    check: |checker, span| {
        if let Context::Syscalls { calls, .. } = &checker.context {
            let size = name_bytes(calls);
            return Expr::memory("probe", Ty::Str { size }, span, move |lowerer, to, _| {
                if let Some(name) = lowerer.called() {
                    lowerer.copy(name.into(), to, size);
                }
            });
        }
        let name = checker.probe_name.clone();
        Expr::str(&name, span)
    },
};
