//! `count()`: how often.

use std::rc::Rc;

use report::schema::ValueKind;

use super::Function;
use super::aggregation::aggregate;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "count",
    signature: "count()",
    summary: "Counts how often it is called.",
    example: "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }",
    args: (0, 0),
    changes_system: false,
    check: |_, call| {
        aggregate(
            call,
            Rc::new(crate::hir::Aggregate {
                name: "count",
                kind: ValueKind::Count,
                value: None,
                add: |lowerer, _, element, _| lowerer.increase(element, 0, 1.into()),
            }),
        )
    },
};
