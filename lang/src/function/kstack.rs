//! `kstack(mode, frames)`: the kernel's stack, otherwise than `kstack` alone takes it.

use super::Function;
use super::stack_call::stack_call;
use crate::builtin;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "kstack",
    signature: "kstack(mode = bpftrace, const int frames = 127)",
    summary: "The kernel's stack, printed in this mode (bpftrace, perf, raw, build_id), at most so many frames.",
    example: "profile:hz:99 { @[kstack(perf, 5)] = count(); }",
    args: (0, 2),
    changes_system: false,
    check: |checker, call| match stack_call(checker, call) {
        Some((mode, depth)) => builtin::kstack(checker, depth, mode, call.span),
        None => crate::hir::Expr::poison(call.span),
    },
};
