//! `ppid`: the parent's process id.

use super::Builtin;
use super::relative::of_current_task;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "ppid",
    ty: "int32",
    summary: "The process id of the parent.",
    example: "tracepoint:sched:sched_process_exec { print(ppid); }",
    check: |checker, span| of_current_task(checker, "ppid", &["real_parent", "tgid"], span),
};
