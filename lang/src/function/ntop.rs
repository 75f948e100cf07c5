//! `ntop(family, address)`: an IP address.

use super::Function;
use super::bytes::{Bytes, bytes_arg};
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::ir::{Operand, Width};
use crate::types::Ty;

/// Address families, as Linux numbers them.
const AF_INET: i64 = 2;
const AF_INET6: i64 = 10;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ntop",
    signature: "ntop(int family, address)",
    summary: "An IP address that prints in its usual form. The address is an integer or 4 bytes for version 4, 16 bytes for \
              version 6; the family may be left out.",
    example: r#"begin { printf("%s\n", ntop(0x0100007f)); }"#,
    args: (1, 2),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let at = call.args.len().saturating_sub(1);
    let Some(arg) = call.args.get(at) else { return Expr::poison(call.span) };
    let family = (at > 0).then(|| checker.integer_arg(call, 0));
    let address = checker.expr(arg);
    if address.ty.is_unknown() || family.as_ref().is_some_and(|family| family.ty.is_unknown()) {
        return Expr::poison(call.span);
    }
    if address.ty.is_integer() {
        return of_integer(family, address, call);
    }
    match bytes_arg(checker, call, at, address) {
        Some(bytes) if matches!(bytes.size, 4 | 16) => of_bytes(family, bytes, call),
        Some(bytes) => {
            let message = format!("an IP address has 4 or 16 bytes, not {}", bytes.size);
            checker.error("E0504", arg.span, message)
        }
        None => Expr::poison(call.span),
    }
}

fn of_integer(family: Option<Expr>, address: Expr, call: &Call<'_>) -> Expr {
    Expr::memory("ntop", Ty::Inet, call.span, move |lowerer, to, _| {
        let family = family.as_ref().map_or(Operand::Imm(AF_INET), |family| lowerer.scalar(family));
        let address = lowerer.scalar(&address);
        lowerer.zero(to, Ty::Inet.layout().size);
        lowerer.b.store(to.base, to.offset, Width::B4, family);
        lowerer.b.store(to.base, to.at(4).offset, Width::B4, address);
    })
}

fn of_bytes(family: Option<Expr>, bytes: Bytes, call: &Call<'_>) -> Expr {
    Expr::memory("ntop", Ty::Inet, call.span, move |lowerer, to, _| {
        let implied = if bytes.size == 4 { AF_INET } else { AF_INET6 };
        let family = family.as_ref().map_or(Operand::Imm(implied), |family| lowerer.scalar(family));
        let from = bytes.place(lowerer);
        lowerer.zero(to, Ty::Inet.layout().size);
        lowerer.b.store(to.base, to.offset, Width::B4, family);
        lowerer.copy(from, to.at(4), bytes.size);
    })
}
