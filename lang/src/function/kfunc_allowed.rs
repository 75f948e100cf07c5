//! `kfunc_allowed(name)`: whether the probe at hand may call a function of the kernel.

use super::Function;
use super::kernel_function::callable;
use crate::hir::{Expr, ExprKind};
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "kfunc_allowed",
    signature: "kfunc_allowed(const string name)",
    summary: "Whether the kernel lets probes of this kind call its function of this name; known when the script is compiled.",
    example: r#"iter:task { if (kfunc_allowed("bpf_task_from_pid")) { print("yes"); } exit(); }"#,
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let Some(name) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
        let allowed = callable(checker, &name).is_some();
        Expr { kind: ExprKind::Int(i64::from(allowed)), ty: Ty::Bool, span: call.span }
    },
};
