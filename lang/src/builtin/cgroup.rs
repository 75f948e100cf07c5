//! `cgroup`: the id of the process's cgroup, in version 2.

use super::Builtin;
use crate::hir::Expr;
use crate::types::U64;
use bpf::helper::Helper;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "cgroup",
    ty: "uint64",
    summary: "The id of the process's cgroup, in version 2.",
    example: "tracepoint:sched:sched_switch { @[cgroup] = count(); }",
    check: |_, span| Expr::scalar("cgroup", U64, span, |lowerer| lowerer.call(Helper::GetCurrentCgroupId, &[])),
};
