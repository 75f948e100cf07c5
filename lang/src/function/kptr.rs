//! `kptr(address)`: an address of the kernel's memory.

use super::Function;
use crate::check::pointer_to;
use crate::hir::{Expr, ExprKind};
use crate::types::{Space, Ty};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "kptr",
    signature: "kptr(address)",
    summary: "The same address, said to be of the kernel's memory.",
    example: "begin { print(kptr((int8 *)0)); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let address = checker.address_arg(call, 0);
        let to = match &address.ty {
            Ty::Unknown => return Expr::poison(call.span),
            Ty::Pointer { to, .. } => (**to).clone(),
            _ => Ty::Void,
        };
        Expr { kind: ExprKind::Cast(Box::new(address)), ty: pointer_to(to, Space::Kernel), span: call.span }
    },
};
