//! `write_user(address, data, length)`: writes into the current process's memory.

use bpf::helper::Helper;

use super::Function;
use super::bytes::bytes_arg;
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::ir::Operand;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "write_user",
    signature: "write_user(address, data, const int length)",
    summary: "Writes bytes into the current process's memory. Kernels under lockdown refuse it.",
    example: r#"tracepoint:syscalls:sys_enter_read { write_user(args.buf, "x", 1); }"#,
    args: (3, 3),
    changes_system: true,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let address = checker.address_arg(call, 0);
    let Some(data) = call.args.get(1).map(|arg| checker.expr(arg)) else { return Expr::poison(call.span) };
    let Some(length) = checker.constant_arg(call, 2, None) else { return Expr::poison(call.span) };
    if address.ty.is_unknown() || data.ty.is_unknown() {
        return Expr::poison(call.span);
    }
    let Some(bytes) = bytes_arg(checker, call, 1, data) else { return Expr::poison(call.span) };
    if !(1..=i64::from(bytes.size)).contains(&length) {
        let message = format!("`write_user` writes 1 to {} bytes of this, not {length}", bytes.size);
        return checker.error("E0525", call.span, message);
    }
    Expr::effect("write_user", call.span, move |lowerer| {
        let address = lowerer.scalar(&address);
        let from = bytes.place(lowerer);
        let from = lowerer.address(from);
        lowerer.b.call_void(Helper::ProbeWriteUser, &[address, from.into(), Operand::Imm(length)]);
    })
}
