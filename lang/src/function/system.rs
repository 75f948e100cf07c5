//! `system(format, values ..)`: runs a command.

use report::schema::EventKind;

use super::Function;
use super::format::formatted;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "system",
    signature: "system(const string format, ...)",
    summary: "Runs a command in a shell on the node, from user space, a moment later.",
    example: r#"tracepoint:sched:sched_process_exec { system("ps -p %d", pid); }"#,
    args: (1, usize::MAX),
    changes_system: true,
    check: |checker, call| formatted(checker, call, "system", |_, format, args| EventKind::System { format, args }),
};
