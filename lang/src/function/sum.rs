//! `sum(value)`: a total.

use report::schema::ValueKind;

use super::Function;
use super::aggregation::aggregate_value;
use crate::ir::{Operand, VReg};
use crate::lower::Lowerer;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "sum",
    signature: "sum(int value)",
    summary: "Adds values up.",
    example: "tracepoint:raw_syscalls:sys_exit /args.ret > 0/ { @bytes[comm] = sum(args.ret); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| aggregate_value(checker, call, "sum", |signed| ValueKind::Sum { signed }, add),
};

fn add(lowerer: &mut Lowerer<'_>, _: &ValueKind, element: VReg, value: Operand) {
    lowerer.increase(element, 0, value);
}
