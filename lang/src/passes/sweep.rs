//! Dead code: instructions that do nothing but assign a register nobody reads.

use crate::bits::BitSet;
use crate::ir::{Block, Function, Inst, VReg};

/// One pass over the function; whether it changed anything.
pub(super) fn sweep(function: &mut Function) -> bool {
    let live_in = live_in(function);
    let mut changed = false;
    for block in &mut function.blocks {
        let mut live = at_end(block, &live_in, function.vregs as usize);
        let mut kept = Vec::with_capacity(block.insts.len());
        for (mut inst, span) in std::mem::take(&mut block.insts).into_iter().rev() {
            let unread = inst.dst().is_none_or(|dst| !live.contains(dst.0 as usize));
            if unread && !inst.has_effect() {
                changed = true;
                continue;
            }
            if let Inst::Call { dst, .. } = &mut inst
                && unread
            {
                changed |= dst.take().is_some();
            }
            step(&inst, &mut live);
            kept.push((inst, span));
        }
        kept.reverse();
        block.insts = kept;
    }
    changed
}

/// The registers that are read at or behind the start of each block before they are assigned there.
fn live_in(function: &Function) -> Vec<BitSet> {
    let mut live_in = vec![BitSet::new(function.vregs as usize); function.blocks.len()];
    let mut order = function.reverse_postorder();
    order.reverse();
    let mut changed = true;
    while changed {
        changed = false;
        for id in &order {
            let Some(block) = function.blocks.get(id.0 as usize) else { continue };
            let mut live = at_end(block, &live_in, function.vregs as usize);
            block.insts.iter().rev().for_each(|(inst, _)| step(inst, &mut live));
            changed |= live_in.get_mut(id.0 as usize).is_some_and(|entry| entry.union(&live));
        }
    }
    live_in
}

/// What is live before the terminator.
fn at_end(block: &Block, live_in: &[BitSet], registers: usize) -> BitSet {
    let mut live = BitSet::new(registers);
    for target in block.term.successors() {
        live_in.get(target.0 as usize).into_iter().for_each(|entry| {
            live.union(entry);
        });
    }
    block.term.for_each_use(|register| live.insert(register.0 as usize));
    live
}

fn step(inst: &Inst, live: &mut BitSet) {
    inst.dst().into_iter().for_each(|VReg(dst)| live.remove(dst as usize));
    inst.for_each_use(|register| live.insert(register.0 as usize));
}
