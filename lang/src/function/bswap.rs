//! `bswap(n)`: an integer with its bytes in reverse order.

use super::Function;
use crate::check::{Call, Checker};
use crate::hir::{Expr, ExprKind};
use crate::ir::Width;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "bswap",
    signature: "bswap(int n)",
    summary: "The integer with its bytes in reverse order, unsigned and as wide as it was.",
    example: r#"begin { printf("%x\n", bswap((uint16)0x1234)); }"#,
    args: (1, 1),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let value = checker.integer_arg(call, 0);
    if value.ty.is_unknown() {
        return Expr::poison(call.span);
    }
    let bytes = value.ty.layout().size;
    let ty = Ty::Int { bytes: bytes as u8, signed: false };
    if let Some(constant) = value.constant() {
        let swapped = (constant as u64).swap_bytes() >> (64 - 8 * bytes.clamp(1, 8));
        return Expr { kind: ExprKind::Int(swapped as i64), ty, span: call.span };
    }
    let Some(width) = Width::from_bytes(bytes).filter(|width| *width != Width::B1) else {
        return Expr { kind: ExprKind::Cast(Box::new(value)), ty, span: call.span };
    };
    Expr::scalar("bswap", ty, call.span, move |lowerer| {
        let value = lowerer.register(&value);
        lowerer.b.swap(value, width).into()
    })
}
