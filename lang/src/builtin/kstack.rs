//! `kstack`: the kernel's stack.

use report::schema::StackMode;

use super::Builtin;
use super::stack::{MOST_FRAMES, stack_type};
use crate::check::Checker;
use crate::hir::Expr;
use crate::span::Span;
use crate::types::Ty;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "kstack",
    ty: "kstack",
    summary: "The kernel's stack, at most 127 frames.",
    example: "profile:hz:99 { @[kstack] = count(); }",
    check: |checker, span| kstack(checker, MOST_FRAMES, checker.config.stack_mode, span),
};

/// The kernel's stack with so many frames.
pub fn kstack(checker: &mut Checker<'_>, depth: u16, mode: StackMode, span: Span) -> Expr {
    // The kernel has no build ids: a setting that is about both kinds of stack gives addresses here.
    let mode = if mode == StackMode::BuildId { StackMode::Raw } else { mode };
    let stack = stack_type(checker, depth, mode);
    let ty = Ty::Kstack(stack.clone());
    Expr::scalar("kstack", ty, span, move |lowerer| lowerer.stack_number(&stack, false))
}
