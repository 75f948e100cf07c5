//! `stats(value)`: how many, their average and their total.

use report::schema::ValueKind;

use super::Function;
use super::aggregation::{add_to_mean, aggregate_value};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "stats",
    signature: "stats(int value)",
    summary: "Keeps how many values there were, their average and their total.",
    example: "tracepoint:raw_syscalls:sys_exit { @[comm] = stats(args.ret); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| aggregate_value(checker, call, "stats", |signed| ValueKind::Stats { signed }, add_to_mean),
};
