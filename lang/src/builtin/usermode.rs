//! `usermode`: whether the CPU ran a process's own code.

use super::Builtin;
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::ir::Cmp;
use crate::types::{Ty, U64};

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "usermode",
    ty: "uint8",
    summary: "1 where the CPU ran a process's own code when it was interrupted, 0 where it ran the kernel's.",
    example: "profile:hz:99 { @[usermode] = count(); }",
    check: |checker, span| {
        let ty = Ty::Int { bytes: 1, signed: false };
        if checker.context == Context::Script {
            // The tracer's own process asks the kernel to run these.
            return Expr { kind: ExprKind::Int(1), ty, span };
        }
        if matches!(checker.context, Context::Function(_)) {
            // These are functions of the kernel.
            return Expr { kind: ExprKind::Int(0), ty, span };
        }
        if !matches!(
            checker.context,
            Context::Entry { .. } | Context::Return { .. } | Context::Marker { .. } | Context::Overflow
        ) {
            return checker.error("E0209", span, "`usermode` is known where the registers are: in probes and samples");
        }
        let mode = checker.target.arch.registers().mode;
        let register = Expr { kind: ExprKind::Context { offset: mode.offset }, ty: U64, span };
        Expr::scalar("usermode", ty, span, move |lowerer| {
            let register = lowerer.scalar(&register);
            let bits = lowerer.b.and(register, mode.mask);
            lowerer.b.set(Cmp::Eq, bits, mode.user).into()
        })
    },
};
