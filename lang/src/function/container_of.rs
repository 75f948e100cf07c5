//! `container_of(pointer, type, member)`: the struct that something is a member of.

use super::Function;
use crate::ast::{ExprKind, TypeOrExpr};
use crate::check::{Call, Checker, address_of, pointer_to};
use crate::hir::Expr;
use crate::span::Spanned;
use crate::types::{Space, Ty};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "container_of",
    signature: "container_of(pointer, typeof(type), member)",
    summary: "A pointer to the struct that what `pointer` points to is the member `member` of.",
    example: "struct pair { int a; int b; } uprobe:/bin/true:main { $b = (int32 *)arg0; print(container_of($b, typeof(struct pair), b)); }",
    args: (3, 3),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let pointer = checker.address_arg(call, 0);
    let (Some(of), Some(member)) = (call.args.get(1), call.args.get(2)) else { return Expr::poison(call.span) };
    let ty = match &of.node {
        ExprKind::Typeof(of) => checker.type_or_expr(of),
        _ => checker.type_or_expr(&TypeOrExpr::Expr(Box::new(of.clone()))),
    };
    let Some(path) = path(member) else {
        return checker.error("E0504", member.span, "argument 3 of `container_of` is the name of a member");
    };
    let mut offset = 0;
    let mut inner = ty.clone();
    for name in &path {
        let Some(place) = checker.member(&inner, name) else { return Expr::poison(call.span) };
        offset += i64::from(place.offset);
        inner = place.ty;
    }
    let space = match &pointer.ty {
        Ty::Unknown => return Expr::poison(call.span),
        Ty::Pointer { space, .. } => *space,
        _ => Space::Any,
    };
    address_of(pointer, -offset, pointer_to(ty, space), call.span)
}

/// `a` or `a.b`
fn path(e: &crate::ast::Expr) -> Option<Vec<Spanned<String>>> {
    match &e.node {
        ExprKind::Ident(name) => Some(vec![Spanned { node: name.clone(), span: e.span }]),
        ExprKind::Field { base, field, .. } => {
            let mut path = path(base)?;
            path.push(field.clone());
            Some(path)
        }
        _ => None,
    }
}
