//! `leader_tid`: the id of the thread group's first thread.

use super::Builtin;
use super::relative::of_current_task;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "leader_tid",
    ty: "int32",
    summary: "The id of the thread group's first thread.",
    example: "tracepoint:sched:sched_process_exec { print(leader_tid); }",
    check: |checker, span| of_current_task(checker, "leader_tid", &["group_leader", "pid"], span),
};
