//! `min(value)`: the least.

use report::schema::ValueKind;

use super::Function;
use super::aggregation::{aggregate_value, keep_extreme};
use crate::ir::{Cmp, Operand, VReg};
use crate::lower::Lowerer;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "min",
    signature: "min(int value)",
    summary: "Keeps the least value.",
    example: "tracepoint:raw_syscalls:sys_exit { @[comm] = min(args.ret); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| aggregate_value(checker, call, "min", |signed| ValueKind::Min { signed }, add),
};

fn add(lowerer: &mut Lowerer<'_>, kind: &ValueKind, element: VReg, value: Operand) {
    let signed = matches!(kind, ValueKind::Min { signed: true });
    keep_extreme(lowerer, element, value, if signed { Cmp::SLe } else { Cmp::ULe });
}
