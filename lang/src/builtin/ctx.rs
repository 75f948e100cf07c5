//! `ctx`: what an iterator hands over.

use std::rc::Rc;

use bpf::btf::Kind;

use super::Builtin;
use super::args::unknown_field;
use super::typed::in_context;
use crate::check::Checker;
use crate::ctype::{self, Types};
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::span::{Span, Spanned};
use crate::types::{Space, Ty, U64};

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "ctx",
    ty: "struct",
    summary: "What an iterator is at: `ctx.task`, and in `iter:task_file` and `iter:task_vma` what of it. Elsewhere the address of what the program was given.",
    example: "iter:task_file { @[ctx.task.comm] = count(); }",
    check: |_, span| {
        let ty = Ty::Pointer { to: Rc::new(Ty::Void), space: Space::Kernel };
        Expr::scalar("ctx", ty, span, |lowerer| lowerer.b.context().into())
    },
};

/// `ctx.field`
pub fn field(checker: &mut Checker<'_>, field: &Spanned<String>, span: Span) -> Expr {
    let Context::Iter { record } = checker.context.clone() else {
        return checker.error("E0209", span, "`ctx` is known in iterators only");
    };
    let Some(btf) = checker.target.btf.clone() else { return Expr::poison(span) };
    let Some(id) = btf.find(Kind::Struct, &record) else {
        return checker.error("E0210", span, format!("this kernel's types do not describe `{record}`"));
    };
    let Some(member) = btf.member(id, &field.node) else {
        let members = btf.named_members(id);
        return unknown_field(checker, field, members.iter().map(|member| member.name));
    };
    let ty = ctype::of_btf(&Types::new(btf.clone()), member.ty, Space::Kernel);
    let Ok(offset) = i32::try_from(member.offset()) else { return Expr::poison(span) };
    match &ty {
        Ty::Pointer { .. } => checker.cast_to(ty, in_context(checker, offset, true, span), span),
        Ty::Int { .. } => Expr { kind: ExprKind::Context { offset }, ty, span },
        _ => Expr { kind: ExprKind::Context { offset }, ty: U64, span },
    }
}
