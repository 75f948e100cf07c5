//! `has_key(@m, key)`: whether an element is there.

use super::Function;
use crate::hir::Expr;
use crate::ir::{Cmp, Operand};
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "has_key",
    signature: "has_key(map m, key)",
    summary: "Whether a map has an element with this key.",
    example: "kretprobe:vfs_read /has_key(@start, tid)/ { delete(@start, tid); } kprobe:vfs_read { @start[tid] = nsecs; }",
    args: (2, 2),
    changes_system: false,
    check: |checker, call| {
        let Some(used) = checker.element_arg(call, 0) else { return Expr::poison(call.span) };
        let (map, key) = (used.map, used.key);
        Expr::scalar("has_key", Ty::Bool, call.span, move |lowerer| {
            let Some((bpf_map, _)) = lowerer.resources.map(map) else { return Operand::Imm(0) };
            let key = lowerer.key(map, key.as_ref());
            let element = lowerer.lookup(bpf_map, key);
            lowerer.b.set(Cmp::Ne, element, 0).into()
        })
    },
};
