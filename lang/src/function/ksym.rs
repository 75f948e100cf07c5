//! `ksym(address)`: a kernel address as its symbol.

use super::Function;
use crate::hir::{Expr, ExprKind};
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ksym",
    signature: "ksym(int address)",
    summary: "A kernel address that prints as its symbol.",
    example: "kprobe:queue_work_on { @[ksym(arg2)] = count(); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let address = checker.address_arg(call, 0);
        Expr { kind: ExprKind::Cast(Box::new(address)), ty: Ty::Ksym, span: call.span }
    },
};
