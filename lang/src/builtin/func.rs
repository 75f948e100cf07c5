//! `func`: the function a probe is attached to.

use super::Builtin;
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::types::{Space, Ty, U64};

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "func",
    ty: "ksym_t or usym_t",
    summary: "The function the probe is attached to.",
    example: "kprobe:vfs_* { @[func] = count(); }",
    check: |checker, span| {
        let offset = checker.target.arch.registers().ip;
        let ip = Expr { kind: ExprKind::Context { offset }, ty: U64, span };
        match &checker.context {
            Context::Entry { space: Space::User } => crate::function::usym_of(ip, span),
            Context::Entry { .. } => Expr { kind: ExprKind::Cast(Box::new(ip)), ty: Ty::Ksym, span },
            Context::Return { .. } => {
                let name = checker.probe_name.clone();
                let function = name.rsplit(':').next().unwrap_or_default().to_owned();
                Expr::str(&function, span)
            }
            _ => checker.error("E0209", span, "`func` is known in probes of functions only"),
        }
    },
};
