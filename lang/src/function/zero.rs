//! `zero(@m)`: sets every element to zero.

use report::schema::{EventKind, MapId};

use super::Function;
use crate::hir::Expr;
use crate::lower::HEADER;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "zero",
    signature: "zero(map m)",
    summary: "Sets all elements of a map to zero. User space does it, a moment later.",
    example: "interval:s:1 { print(@); zero(@); } tracepoint:sched:sched_switch { @[comm] = count(); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let Some(used) = checker.map_arg(call, 0) else { return Expr::poison(call.span) };
        let map = MapId(used.map.0);
        Expr::effect("zero", call.span, move |lowerer| lowerer.send(EventKind::Zero(map), HEADER, |_, _| {}))
    },
};
