//! `macaddr(address)`: a link-layer address.

use super::Function;
use super::bytes::bytes_arg;
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::types::Ty;

/// Bytes of a link-layer address.
const BYTES: u32 = 6;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "macaddr",
    signature: "macaddr(char[6] address)",
    summary: "Six bytes that print as a link-layer address.",
    example: r#"kprobe:eth_type_trans { printf("%s\n", macaddr(((struct net_device *)arg1)->perm_addr)); }"#,
    args: (1, 1),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(arg) = call.args.first() else { return Expr::poison(call.span) };
    let value = checker.expr(arg);
    let Some(bytes) = bytes_arg(checker, call, 0, value) else { return Expr::poison(call.span) };
    if bytes.size < BYTES {
        let message = format!("a link-layer address has {BYTES} bytes, not {}", bytes.size);
        return checker.error("E0504", arg.span, message);
    }
    Expr::memory("macaddr", Ty::Mac, call.span, move |lowerer, to, _| {
        let from = bytes.place(lowerer);
        lowerer.copy(from, to, BYTES);
    })
}
