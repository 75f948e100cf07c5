//! `find(@m, key, $value)`: an element, if it is there.

use super::Function;
use crate::ast::ExprKind;
use crate::check::{Call, Checker};
use crate::hir::{Expr, Map, Var};
use crate::ir::{Operand, VReg};
use crate::lower::Lowerer;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "find",
    signature: "find(map m, key, $value)",
    summary: "Whether a map has an element with this key; if so the variable is set to its value, else it stays as it is.",
    example: "kretprobe:vfs_read { $start = (int64)0; if (find(@start, tid, $start)) { @ = hist(nsecs - $start); } } \
              kprobe:vfs_read { @start[tid] = (int64)nsecs; }",
    args: (3, 3),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let element = Call { args: call.args.get(..2).unwrap_or_default(), ..*call };
    let Some(used) = checker.element_arg(&element, 0) else { return Expr::poison(call.span) };
    let Some(target) = call.args.get(2) else { return Expr::poison(call.span) };
    let ExprKind::Variable(name) = &target.node else {
        return checker.error("E0504", target.span, "argument 3 of `find` is a variable");
    };
    let ty = checker.map_value(&used.name);
    if ty.is_aggregate() {
        let message = format!("`{}` holds `{ty}`, which a variable cannot", used.name);
        return checker.error("E0504", call.span, message);
    }
    let var = checker.assign_out(name, &ty, target.span);
    let (map, key) = (used.map, used.key);
    Expr::scalar("find", Ty::Bool, call.span, move |lowerer| find(lowerer, map, key.as_ref(), var, &ty))
}

fn find(lowerer: &mut Lowerer<'_>, map: Map, key: Option<&Expr>, var: Var, ty: &Ty) -> Operand {
    let Some((bpf_map, _)) = lowerer.resources.map(map) else { return Operand::Imm(0) };
    let key = lowerer.key(map, key);
    let result = lowerer.b.copy(0);
    let with = |lowerer: &mut Lowerer<'_>, element: VReg| {
        lowerer.set_variable_from(var, element.into(), ty);
        lowerer.b.assign(result, 1);
    };
    lowerer.if_found(bpf_map, key, with, |_| ());
    result.into()
}
