//! `strcontains(haystack, needle)`: whether a string stands in another.

use super::Function;
use super::strstr::contains;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "strcontains",
    signature: "strcontains(string haystack, string needle)",
    summary: "Whether `needle` stands anywhere in `haystack`.",
    example: r#"tracepoint:syscalls:sys_enter_openat /strcontains(str(args.filename), ".so")/ { @ = count(); }"#,
    args: (2, 2),
    changes_system: false,
    check: contains,
};
