//! `ppid(task)`: the parent's process id of a task.

use super::Function;
use crate::builtin::of_task;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ppid",
    signature: "ppid(struct task_struct *task = curtask)",
    summary: "The process id of a task's parent.",
    example: "tracepoint:sched:sched_process_exec { print(ppid(curtask)); }",
    args: (0, 1),
    changes_system: false,
    check: |checker, call| of_task(checker, "ppid", call.args.first(), &["real_parent", "tgid"], call.span),
};
