//! `leader_comm`: the name of the thread group's first thread.

use super::Builtin;
use super::relative::of_current_task;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "leader_comm",
    ty: "string[16]",
    summary: "The name of the thread group's first thread.",
    example: "tracepoint:sched:sched_process_exec { print(leader_comm); }",
    check: |checker, span| of_current_task(checker, "leader_comm", &["group_leader", "comm"], span),
};
