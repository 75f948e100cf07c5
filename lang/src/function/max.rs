//! `max(value)`: the greatest.

use report::schema::ValueKind;

use super::Function;
use super::aggregation::{aggregate_value, keep_extreme};
use crate::ir::{Cmp, Operand, VReg};
use crate::lower::Lowerer;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "max",
    signature: "max(int value)",
    summary: "Keeps the greatest value.",
    example: "tracepoint:raw_syscalls:sys_exit { @[comm] = max(args.ret); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| aggregate_value(checker, call, "max", |signed| ValueKind::Max { signed }, add),
};

fn add(lowerer: &mut Lowerer<'_>, kind: &ValueKind, element: VReg, value: Operand) {
    let signed = matches!(kind, ValueKind::Max { signed: true });
    keep_extreme(lowerer, element, value, if signed { Cmp::SGe } else { Cmp::UGe });
}
