//! `func`: the function a probe is attached to.

use bpf::helper::Helper;

use super::Builtin;
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::span::Span;
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
            Context::Entry { space: Space::User, .. } => crate::function::usym_of(ip, span),
            Context::Entry { .. } => Expr { kind: ExprKind::Cast(Box::new(ip)), ty: Ty::Ksym, span },
            context @ Context::Return { space, .. } if checker.target.features.knows_function(context) => {
                let address = traced(span);
                match space {
                    Space::User => crate::function::usym_of(address, span),
                    _ => Expr { kind: ExprKind::Cast(Box::new(address)), ty: Ty::Ksym, span },
                }
            }
            // The helper is as old as the one asked for.
            Context::Function(_) if checker.target.features.bpf_loop => {
                Expr { kind: ExprKind::Cast(Box::new(traced(span))), ty: Ty::Ksym, span }
            }
            Context::Return { .. } | Context::Function(_) => {
                let name = checker.probe_name.clone();
                let function = name.rsplit(':').next().unwrap_or_default().to_owned();
                Expr::str(&function, span)
            }
            _ => checker.error("E0209", span, "`func` is known in probes of functions only"),
        }
    },
};

/// The address of the function that the program is attached to.
fn traced(span: Span) -> Expr {
    Expr::scalar("func", U64, span, |lowerer| {
        let context = lowerer.b.context();
        lowerer.b.call(Helper::GetFuncIp, &[context.into()]).into()
    })
}
