//! `is_err(pointer)`: whether a pointer is an error in disguise.

use super::Function;
use crate::hir::Expr;
use crate::ir::Cmp;
use crate::types::Ty;

/// The largest number of an error, as the kernel's `MAX_ERRNO`.
const MOST: i64 = 4095;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "is_err",
    signature: "is_err(address)",
    summary: "Whether a pointer that a kernel function returned is an error in disguise, as the kernel's `IS_ERR` tells.",
    example: "kretprobe:do_filp_open { @[is_err(retval)] = count(); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let address = checker.address_arg(call, 0);
        if address.ty.is_unknown() {
            return Expr::poison(call.span);
        }
        Expr::scalar("is_err", Ty::Bool, call.span, move |lowerer| {
            let address = lowerer.scalar(&address);
            lowerer.b.set(Cmp::UGe, address, -MOST).into()
        })
    },
};
