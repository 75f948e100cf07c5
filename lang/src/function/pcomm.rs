//! `pcomm(task)`: the parent's name of a task.

use super::Function;
use crate::builtin::of_task;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "pcomm",
    signature: "pcomm(struct task_struct *task = curtask)",
    summary: "The name of a task's parent.",
    example: "tracepoint:sched:sched_process_exec { print(pcomm(curtask)); }",
    args: (0, 1),
    changes_system: false,
    check: |checker, call| of_task(checker, "pcomm", call.args.first(), &["real_parent", "comm"], call.span),
};
