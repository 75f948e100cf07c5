//! Values that are computed twice are computed once.
//!
//! Calls whose answer stays the same during a run are shared over the whole function, where the first one comes on every way to the second.
//! Arithmetic is cheaper than a register that must be kept across a call: it is shared within a block, between calls only.

use bpf::helper::Helper;

use crate::ir::{BlockId, Cmp, Function, Inst, MapRef, Op, Operand, VReg, Width};

/// What makes two computations equal. Registers named in it are assigned once.
#[derive(Clone, Copy, PartialEq)]
enum Key {
    Bin(Op, Operand, Operand),
    Extend(Operand, Width, bool),
    Swap(VReg, Width),
    Set(Cmp, Operand, Operand),
    MapValue(MapRef, u32),
    Call(Helper),
}

/// One pass over the function; whether it changed anything.
pub(super) fn share(function: &mut Function) -> bool {
    let once = function.assigned_once();
    let stable = |register: VReg| once.contains(register);
    let order = function.reverse_postorder();
    let dominators = dominators(function, &order);
    let mut calls: Vec<(Helper, BlockId, VReg)> = Vec::new();
    let mut changed = false;
    let mut local: Vec<(Key, VReg)> = Vec::new();
    for id in &order {
        let Some(block) = function.blocks.get_mut(id.0 as usize) else { continue };
        local.clear();
        for (inst, _) in &mut block.insts {
            let key = key(inst);
            let Some(dst) = inst.dst().filter(|dst| stable(*dst)) else {
                forget_at_call(inst, &mut local);
                continue;
            };
            let usable = key.is_some() && {
                let mut all = true;
                inst.for_each_use(|register| all &= stable(register));
                all
            };
            let first = match key.filter(|_| usable) {
                Some(Key::Call(helper)) => {
                    let same = |(other, block, _): &&(Helper, BlockId, VReg)| {
                        *other == helper && dominates(&dominators, *block, *id)
                    };
                    let first = calls.iter().find(same).map(|(.., register)| *register);
                    if first.is_none() {
                        calls.push((helper, *id, dst));
                    }
                    first
                }
                Some(key) => {
                    let first = local.iter().find(|(other, _)| *other == key).map(|(_, register)| *register);
                    if first.is_none() {
                        local.push((key, dst));
                    }
                    first
                }
                None => None,
            };
            match first {
                Some(first) => {
                    *inst = Inst::Copy { dst, value: first.into() };
                    changed = true;
                }
                None => forget_at_call(inst, &mut local),
            }
        }
    }
    changed
}

fn forget_at_call(inst: &Inst, local: &mut Vec<(Key, VReg)>) {
    if matches!(inst, Inst::Call { .. } | Inst::CallKernel { .. }) {
        local.clear();
    }
}

fn key(inst: &Inst) -> Option<Key> {
    Some(match *inst {
        Inst::Bin { op, a, b, .. } => Key::Bin(op, a, b),
        Inst::Extend { value, width, signed, .. } => Key::Extend(value, width, signed),
        Inst::Swap { value, width, .. } => Key::Swap(value, width),
        Inst::Set { cmp, a, b, .. } => Key::Set(cmp, a, b),
        Inst::MapValueAddr { map, offset, .. } => Key::MapValue(map, offset),
        Inst::Call { helper, .. } if helper.is_constant_in_a_run() => Key::Call(helper),
        _ => return None,
    })
}

/// For each block the nearest other one that is on every way to it; the entry's is itself.
fn dominators(function: &Function, order: &[BlockId]) -> Vec<Option<BlockId>> {
    let mut rank = vec![usize::MAX; function.blocks.len()];
    for (index, id) in order.iter().enumerate() {
        rank.get_mut(id.0 as usize).into_iter().for_each(|rank| *rank = index);
    }
    let rank_of = |id: BlockId| rank.get(id.0 as usize).copied().unwrap_or(usize::MAX);
    let mut nearest: Vec<Option<BlockId>> = vec![None; function.blocks.len()];
    nearest.iter_mut().take(1).for_each(|entry| *entry = Some(BlockId(0)));
    let mut changed = true;
    while changed {
        changed = false;
        for id in order {
            let Some(block) = function.blocks.get(id.0 as usize) else { continue };
            for target in block.term.successors().filter(|target| target.0 != 0) {
                let old = nearest.get(target.0 as usize).copied().flatten();
                let new = old.map_or(*id, |old| meet(&nearest, &rank_of, old, *id));
                if old != Some(new) {
                    nearest.get_mut(target.0 as usize).into_iter().for_each(|entry| *entry = Some(new));
                    changed = true;
                }
            }
        }
    }
    nearest
}

/// The nearest block on every way to both.
fn meet(nearest: &[Option<BlockId>], rank: &impl Fn(BlockId) -> usize, mut a: BlockId, mut b: BlockId) -> BlockId {
    while a != b {
        let later = if rank(a) > rank(b) { &mut a } else { &mut b };
        match nearest.get(later.0 as usize).copied().flatten() {
            Some(up) if up != *later => *later = up,
            _ => return BlockId(0),
        }
    }
    a
}

fn dominates(nearest: &[Option<BlockId>], above: BlockId, below: BlockId) -> bool {
    let mut at = below;
    loop {
        if at == above {
            return true;
        }
        match nearest.get(at.0 as usize).copied().flatten() {
            Some(up) if up != at => at = up,
            _ => return false,
        }
    }
}
