//! `strncmp(a, b, n)`: whether two strings start alike.

use super::Function;
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::lower::Lowerer;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "strncmp",
    signature: "strncmp(string a, string b, const int n)",
    summary: "0 where the first `n` bytes of two strings are the same, else 1.",
    example: r#"tracepoint:sched:sched_process_exec /strncmp(comm, "kworker", 7) == 0/ { @ = count(); }"#,
    args: (3, 3),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let strings: Vec<Expr> = call.args.iter().take(2).map(|arg| checker.expr(arg)).collect();
    let length = checker.constant_arg(call, 2, None);
    for (index, string) in strings.iter().enumerate() {
        if !matches!(string.ty, Ty::Str { .. } | Ty::Unknown) {
            let message = format!("argument {} of `strncmp` is a string, not `{}`", index + 1, string.ty);
            return checker.error("E0504", string.span, message);
        }
    }
    let (Some(length), Ok([left, right])) = (length, <[Expr; 2]>::try_from(strings)) else {
        return Expr::poison(call.span);
    };
    if left.ty.is_unknown() || right.ty.is_unknown() {
        return Expr::poison(call.span);
    }
    let length = u32::try_from(length.max(0)).unwrap_or(u32::MAX);
    let ty = Ty::Int { bytes: 8, signed: false };
    if let (Some(a), Some(b)) = (left.literal(), right.literal()) {
        let prefix = |text: &str| report::raw::bytes(text).iter().copied().take(length as usize).collect::<Vec<u8>>();
        let differ = prefix(a) != prefix(b);
        return Expr { ty, ..Expr::int(i64::from(differ), call.span) };
    }
    Expr::scalar("strncmp", ty, call.span, move |lowerer| {
        let prefix =
            |lowerer: &mut Lowerer<'_>, differ, same| lowerer.branch_prefix(&left, &right, length, same, differ);
        lowerer.one_or_zero(prefix).into()
    })
}
