//! `leader_tid(task)`: the id of the first thread of a task.

use super::Function;
use crate::builtin::of_task;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "leader_tid",
    signature: "leader_tid(struct task_struct *task = curtask)",
    summary: "The id of the first thread of a task's process.",
    example: "tracepoint:sched:sched_process_exec { print(leader_tid(curtask)); }",
    args: (0, 1),
    changes_system: false,
    check: |checker, call| of_task(checker, "leader_tid", call.args.first(), &["group_leader", "pid"], call.span),
};
