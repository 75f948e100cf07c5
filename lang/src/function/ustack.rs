//! `ustack(mode, frames)`: the process's stack, otherwise than `ustack` alone takes it.

use super::Function;
use super::stack_call::stack_call;
use crate::builtin;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ustack",
    signature: "ustack(mode = bpftrace, const int frames = 127)",
    summary: "The process's stack, printed in this mode (bpftrace, perf, raw, build_id), at most so many frames.",
    example: "profile:hz:99 { @[ustack(perf, 5)] = count(); }",
    args: (0, 2),
    changes_system: false,
    check: |checker, call| match stack_call(checker, call) {
        Some((mode, depth)) => builtin::ustack(checker, depth, mode, call.span),
        None => crate::hir::Expr::poison(call.span),
    },
};
