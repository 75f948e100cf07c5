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
    let registers = function.vregs as usize;
    let mut writes = vec![BitSet::new(registers); function.blocks.len()];
    let mut live_in = writes.clone();
    for ((block, writes), reads) in function.blocks.iter().zip(&mut writes).zip(&mut live_in) {
        for (inst, _) in &block.insts {
            inst.for_each_use(|register| first_read(register, reads, writes));
            inst.dst().into_iter().for_each(|dst| writes.insert(dst.0 as usize));
        }
        block.term.for_each_use(|register| first_read(register, reads, writes));
    }
    let mut order = function.reverse_postorder();
    order.reverse();
    let mut out = BitSet::new(registers);
    let mut changed = true;
    while changed {
        changed = false;
        for id in &order {
            let Some(block) = function.blocks.get(id.0 as usize) else { continue };
            out.clear();
            for target in block.term.successors() {
                live_in.get(target.0 as usize).into_iter().for_each(|entry| {
                    out.union(entry);
                });
            }
            if let (Some(entry), Some(writes)) = (live_in.get_mut(id.0 as usize), writes.get(id.0 as usize)) {
                changed |= entry.union_without(&out, writes);
            }
        }
    }
    live_in
}

fn first_read(VReg(register): VReg, reads: &mut BitSet, writes: &BitSet) {
    if !writes.contains(register as usize) {
        reads.insert(register as usize);
    }
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
