//! `curtask`: the current task.

use std::rc::Rc;

use super::Builtin;
use crate::hir::Expr;
use crate::types::{Space, Ty, U64};

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "curtask",
    ty: "struct task_struct *",
    summary: "The current task, as the kernel describes it.",
    example: "tracepoint:sched:sched_switch { @[curtask->real_parent->comm] = count(); }",
    check: |checker, span| {
        let task = checker.struct_type("task_struct");
        let ty = match task {
            Some(task) => Ty::Pointer { to: Rc::new(task), space: Space::Kernel },
            None if checker.target.complete => U64,
            None => Ty::Unknown,
        };
        Expr::scalar("curtask", ty, span, |lowerer| lowerer.task().into())
    },
};
