//! `delete(@m[key])`: removes an element.

use bpf::helper::Helper;

use super::Function;
use crate::check::{Call, Checker};
use crate::hir::{Expr, Map};
use crate::ir::{Cmp, Operand, Width};
use crate::lower::{Lowerer, Place};
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "delete",
    signature: "delete(map m, key) or delete(map m[key])",
    summary: "Removes an element of a map at once; whether it was there. Of a map without key the value.",
    example: "kretprobe:vfs_read { delete(@start[tid]); } kprobe:vfs_read { @start[tid] = nsecs; }",
    args: (1, 2),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(used) = checker.element_arg(call, 0) else { return Expr::poison(call.span) };
    if used.key.is_none() && checker.map_key(&used.name).is_some() {
        return checker.error("E0612", call.span, format!("`{}` has a key, which `delete` must be given", used.name));
    }
    let (map, key) = (used.map, used.key);
    Expr::scalar("delete", Ty::Bool, call.span, move |lowerer| match &key {
        Some(key) => delete(lowerer, map, key),
        None => reset(lowerer, map),
    })
}

fn delete(lowerer: &mut Lowerer<'_>, map: Map, key: &Expr) -> Operand {
    let Some((bpf_map, _)) = lowerer.resources.map(map) else { return Operand::Imm(0) };
    let key = lowerer.key(map, Some(key));
    let map = lowerer.b.map_addr(bpf_map);
    let failed = lowerer.call(Helper::MapDeleteElem, &[map.into(), key.into()]);
    lowerer.b.set(Cmp::Eq, failed, 0).into()
}

/// A map without key has no element to remove: its value becomes zero and counts as never assigned.
fn reset(lowerer: &mut Lowerer<'_>, map: Map) -> Operand {
    let Some((bpf_map, layout)) = lowerer.resources.map(map) else { return Operand::Imm(0) };
    let value_size = layout.value_size;
    let was_set = lowerer.b.copy(0);
    let done = lowerer.b.new_block();
    let element = if layout.per_cpu() {
        let key = lowerer.key(map, None);
        let element = lowerer.lookup(bpf_map, key);
        lowerer.b.branch_if(Cmp::Eq, element, 0, done);
        element
    } else {
        lowerer.b.map_value_addr(bpf_map, 0)
    };
    if let Some(presence) = layout.presence() {
        let old = lowerer.b.load(element, presence, Width::B8, false);
        lowerer.b.assign(was_set, old);
    }
    lowerer.zero(Place::from(element), value_size);
    lowerer.b.jump(done);
    lowerer.b.switch_to(done);
    was_set.into()
}
