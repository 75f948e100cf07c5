//! `avg(value)`: an average.

use report::schema::ValueKind;

use super::Function;
use super::aggregation::{add_to_mean, aggregate_value};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "avg",
    signature: "avg(int value)",
    summary: "Averages values.",
    example: "tracepoint:raw_syscalls:sys_exit { @[comm] = avg(args.ret); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| aggregate_value(checker, call, "avg", |signed| ValueKind::Avg { signed }, add_to_mean),
};
