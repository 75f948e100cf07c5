//! `cgroupid(path)`: the id of a cgroup of version 2.

use super::Function;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprKind};
use crate::types::U64;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "cgroupid",
    signature: "cgroupid(const string path)",
    summary: "The id of the cgroup (version 2) at a path, found when the script is compiled; to compare with `cgroup`.",
    example: r#"tracepoint:raw_syscalls:sys_enter /cgroup == cgroupid("/sys/fs/cgroup/kubepods")/ { @[comm] = count(); }"#,
    args: (1, 1),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(path) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
    let id = match checker.target.cgroups.get(&path) {
        Some(id) => *id,
        // Some node may have it.
        None if !checker.target.complete => 0,
        None => {
            let message = format!("there is no cgroup of version 2 at {path}");
            checker.report(Diagnostic::error("E0526", call.span, message).help(
                "it is a folder of the file system `cgroup2`, at /sys/fs/cgroup or /sys/fs/cgroup/unified as a rule",
            ));
            return Expr::poison(call.span);
        }
    };
    Expr { kind: ExprKind::Int(id as i64), ty: U64, span: call.span }
}
