//! `kaddr(name)`: the address of a kernel symbol.

use super::Function;
use crate::check::{Call, Checker, pointer_to};
use crate::hir::{Expr, ExprKind};
use crate::types::{Space, U64};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "kaddr",
    signature: "kaddr(const string name)",
    summary: "The address of a kernel symbol, found when the script is compiled; as a pointer to `uint64`.",
    example: r#"interval:s:1 { print(*kaddr("avenrun")); }"#,
    args: (1, 1),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(name) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
    let ty = pointer_to(U64, Space::Kernel);
    match checker.target.kernel_symbols.get(&name) {
        Some(address) => {
            let address = Expr { kind: ExprKind::Int(*address as i64), ty: U64, span: call.span };
            Expr { kind: ExprKind::Cast(Box::new(address)), ty, span: call.span }
        }
        // Some node's kernel may have it.
        None if !checker.target.complete => {
            Expr { kind: ExprKind::Cast(Box::new(Expr::int(0, call.span))), ty, span: call.span }
        }
        None => checker.error("E0515", call.span, format!("Failed to resolve kernel symbol: {name}")),
    }
}
