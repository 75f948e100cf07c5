//! `dw_ustack(mode, frames)`: the process's stack by what its compilers left for exceptions, where it keeps no frame pointers.

use report::schema::StackMode;

use super::Function;
use super::stack_call::stack_call;
use crate::builtin::stack_type;
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::ir::Width;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "dw_ustack",
    signature: "dw_ustack(mode = bpftrace, const int frames = 127)",
    summary: "The process's stack also where it keeps no frame pointers: by the tables compilers leave for exceptions (`.eh_frame`). x86-64, \
              Linux 5.17. Modes bpftrace, perf, raw.",
    example: "profile:hz:99 { @[dw_ustack(perf, 5)] = count(); }",
    args: (0, 2),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some((mode, depth)) = stack_call(checker, call) else { return Expr::poison(call.span) };
    if mode == StackMode::BuildId {
        checker.error("E0527", call.span, "a stack that is followed by tables has no build ids");
        return Expr::poison(call.span);
    }
    if !checker.follows_tables(call.span) {
        return Expr::poison(call.span);
    }
    let stack = stack_type(checker, depth, mode);
    let ty = Ty::Ustack(stack.clone());
    Expr::memory("dw_ustack", ty, call.span, move |lowerer, to, _| {
        let number = lowerer.table_stack_number(&stack);
        lowerer.b.store(to.base, to.offset, Width::B8, number);
        let pid = lowerer.process_id();
        lowerer.b.store(to.base, to.at(8).offset, Width::B8, pid);
    })
}
