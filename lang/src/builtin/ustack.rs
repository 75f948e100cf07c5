//! `ustack`: the process's stack.

use report::schema::StackMode;

use super::Builtin;
use super::stack::{MOST_FRAMES, stack_type};
use crate::check::Checker;
use crate::hir::Expr;
use crate::ir::Width;
use crate::span::Span;
use crate::types::Ty;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "ustack",
    ty: "ustack",
    summary: "The process's stack, at most 127 frames.",
    example: "profile:hz:99 { @[ustack] = count(); }",
    check: |checker, span| ustack(checker, MOST_FRAMES, checker.config.stack_mode, span),
};

/// The process's stack with so many frames.
pub fn ustack(checker: &mut Checker<'_>, depth: u16, mode: StackMode, span: Span) -> Expr {
    let stack = stack_type(checker, depth, mode);
    let ty = Ty::Ustack(stack.clone());
    Expr::memory("ustack", ty, span, move |lowerer, to, _| {
        let id = lowerer.stack_number(&stack, true);
        lowerer.b.store(to.base, to.offset, Width::B8, id);
        let pid = lowerer.process_id();
        lowerer.b.store(to.base, to.at(8).offset, Width::B8, pid);
    })
}
