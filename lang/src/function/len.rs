//! `len(x)`: how many elements or frames.

use report::schema::StackMode;

use super::Function;
use crate::builtin::{frames, kept_frames};
use crate::check::{Call, Checker};
use crate::hir::{Expr, ExprKind};
use crate::types::{I64, Ty};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "len",
    signature: "len(array, tuple, stack or map x)",
    summary: "How many elements an array, a tuple or a map has, or how many frames a stack.",
    example: "begin { print(len((1, 2, 3))); }",
    args: (1, 1),
    changes_system: false,
    check,
};

/// The kernel counts the elements by visiting them.
fn of_map(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(used) = checker.map_arg(call, 0) else { return Expr::poison(call.span) };
    if checker.map_key(&used.name).is_none() {
        let message = "call to len() expects a map with explicit keys (non-scalar map)";
        return checker.error("E0615", call.span, message);
    }
    if !checker.visits_maps(call.span) {
        return Expr::poison(call.span);
    }
    let map = used.map;
    Expr::scalar("len", I64, call.span, move |lowerer| lowerer.count_elements(map))
}

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(arg) = call.args.first() else { return Expr::poison(call.span) };
    if let crate::ast::ExprKind::Map(_) = arg.node {
        return of_map(checker, call);
    }
    let value = checker.expr(arg);
    match &value.ty {
        Ty::Unknown => Expr::poison(call.span),
        Ty::Array { len, .. } => Expr::int(i64::from(*len), call.span),
        Ty::Tuple(items) => Expr::int(items.len() as i64, call.span),
        Ty::Kstack(stack) | Ty::Ustack(stack) => {
            let user = matches!(value.ty, Ty::Ustack(_));
            if matches!(value.kind, ExprKind::Map { .. }) {
                let message = "the frames of a stack in a map are known when it prints";
                return checker.error("E0504", arg.span, message);
            }
            if user && stack.mode != StackMode::BuildId {
                // It may have been followed otherwise than the kernel does.
                let stack = stack.clone();
                return Expr::scalar("len", I64, call.span, move |lowerer| kept_frames(lowerer, &value, &stack));
            }
            let depth = stack.depth;
            Expr::scalar("len", I64, call.span, move |lowerer| frames(lowerer, depth, user))
        }
        ty => {
            let message = format!("`{ty}` has no length");
            checker.error("E0504", arg.span, message)
        }
    }
}
