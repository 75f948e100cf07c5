//! `cat(format, values ..)`: prints a file.

use report::schema::EventKind;

use super::Function;
use super::format::formatted;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "cat",
    signature: "cat(const string format, ...)",
    summary: "Prints the file whose name its arguments make, at most `max_cat_bytes` of it. User space reads it, a moment later.",
    example: r#"tracepoint:sched:sched_process_exec { cat("/proc/%d/cmdline", pid); }"#,
    args: (1, usize::MAX),
    changes_system: false,
    check: |checker, call| formatted(checker, call, "cat", |_, format, args| EventKind::Cat { format, args }),
};
