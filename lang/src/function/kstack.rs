//! `kstack(mode, frames)`: the kernel's stack, otherwise than `kstack` alone takes it.

use report::schema::StackMode;

use super::Function;
use super::stack_call::stack_call;
use crate::builtin;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "kstack",
    signature: "kstack(mode = bpftrace, const int frames = 127)",
    summary: "The kernel's stack, printed in this mode (bpftrace, perf, raw), at most so many frames.",
    example: "profile:hz:99 { @[kstack(perf, 5)] = count(); }",
    args: (0, 2),
    changes_system: false,
    check: |checker, call| match stack_call(checker, call) {
        Some((StackMode::BuildId, _)) if !call.args.is_empty() && checker.config.stack_mode != StackMode::BuildId => {
            checker.error("E0514", call.span, "'build_id' stack mode can only be used for ustack")
        }
        Some((mode, depth)) => builtin::kstack(checker, depth, mode, call.span),
        None => crate::hir::Expr::poison(call.span),
    },
};
