//! `pcomm`: the parent's name.

use super::Builtin;
use super::relative::of_current_task;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "pcomm",
    ty: "string[16]",
    summary: "The name of the parent.",
    example: "tracepoint:sched:sched_process_exec { print(pcomm); }",
    check: |checker, span| of_current_task(checker, "pcomm", &["real_parent", "comm"], span),
};
