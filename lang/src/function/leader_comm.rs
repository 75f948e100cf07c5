//! `leader_comm(task)`: the name of the first thread of a task.

use super::Function;
use crate::builtin::of_task;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "leader_comm",
    signature: "leader_comm(struct task_struct *task = curtask)",
    summary: "The name of the first thread of a task's process.",
    example: "tracepoint:sched:sched_process_exec { print(leader_comm(curtask)); }",
    args: (0, 1),
    changes_system: false,
    check: |checker, call| of_task(checker, "leader_comm", call.args.first(), &["group_leader", "comm"], call.span),
};
