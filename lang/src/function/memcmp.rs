//! `memcmp(a, b, n)`: which of two pieces of memory comes first.

use super::Function;
use super::bytes::bytes_arg;
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "memcmp",
    signature: "memcmp(a, b, const int n)",
    summary: "0 where the first `n` bytes of two arrays or strings are the same; else by how much the first one that differs is above the \
              other's, which is negative where it is below.",
    example: "begin { print(memcmp(pton(\"10.0.0.1\"), pton(\"10.0.0.2\"), 3)); }",
    args: (3, 3),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let sides: Vec<Expr> = call.args.iter().take(2).map(|arg| checker.expr(arg)).collect();
    let count = checker.constant_arg(call, 2, None);
    let Ok([left, right]) = <[Expr; 2]>::try_from(sides) else { return Expr::poison(call.span) };
    let left = bytes_arg(checker, call, 0, left);
    let right = bytes_arg(checker, call, 1, right);
    let (Some(left), Some(right), Some(count)) = (left, right, count) else { return Expr::poison(call.span) };
    let shorter = left.size.min(right.size);
    let Some(count) = u32::try_from(count).ok().filter(|count| *count <= shorter) else {
        return checker.error("E0503", call.span, format!("there are {shorter} bytes to compare"));
    };
    let ty = Ty::Int { bytes: 4, signed: true };
    Expr::scalar("memcmp", ty, call.span, move |lowerer| {
        let (a, b) = (left.place(lowerer), right.place(lowerer));
        lowerer.byte_difference(a, b, count).into()
    })
}
