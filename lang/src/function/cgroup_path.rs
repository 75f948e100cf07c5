//! `cgroup_path(id)`: a cgroup's path.

use super::Function;
use crate::hir::{Expr, ExprKind};
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "cgroup_path",
    signature: "cgroup_path(int id)",
    summary: "A cgroup's id that prints as its path, which is looked up on the node at that moment.",
    example: "tracepoint:sched:sched_process_exec { print(cgroup_path(cgroup)); }",
    args: (1, 2),
    changes_system: false,
    check: |checker, call| {
        let id = checker.integer_arg(call, 0);
        if let Some(filter) = call.args.get(1) {
            return checker.unsupported(filter.span, "choosing a cgroup hierarchy");
        }
        Expr { kind: ExprKind::Cast(Box::new(id)), ty: Ty::CgroupPath, span: call.span }
    },
};
