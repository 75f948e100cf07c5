//! Dead code: instructions that do nothing but assign a register nobody reads.

use crate::bits::BitSet;
use crate::ir::{Block, Function, Inst, VReg};

/// One pass over the function; whether it changed anything.
pub(super) fn sweep(function: &mut Function) -> bool {
    let live_in = live_in(function);
    let mut changed = false;
    let mut live = BitSet::new(function.vregs as usize);
    let mut dead = BitSet::default();
    for block in &mut function.blocks {
        at_end(block, &live_in, &mut live);
        let mut found = false;
        for (index, (inst, _)) in block.insts.iter_mut().enumerate().rev() {
            let unread = inst.dst().is_none_or(|dst| !live.contains(dst.0 as usize));
            if unread && !inst.has_effect() {
                if !found {
                    dead = BitSet::new(index + 1);
                    found = true;
                }
                dead.insert(index);
                continue;
            }
            if let Inst::Call { dst, .. } = inst
                && unread
            {
                changed |= dst.take().is_some();
            }
            step(inst, &mut live);
        }
        if found {
            changed = true;
            let mut index = 0;
            block.insts.retain(|_| {
                index += 1;
                !dead.contains(index - 1)
            });
        }
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
    let mut settled = BitSet::new(function.blocks.len());
    let (mut changed, mut loops) = (true, false);
    while changed {
        changed = false;
        for id in &order {
            let Some(block) = function.blocks.get(id.0 as usize) else { continue };
            out.clear();
            for target in block.term.successors() {
                loops |= !settled.contains(target.0 as usize);
                live_in.get(target.0 as usize).into_iter().for_each(|entry| {
                    out.union(entry);
                });
            }
            if let (Some(entry), Some(writes)) = (live_in.get_mut(id.0 as usize), writes.get(id.0 as usize)) {
                changed |= entry.union_without(&out, writes);
            }
            settled.insert(id.0 as usize);
        }
        // Behind each block only blocks that were done before: once is enough.
        changed &= loops;
    }
    live_in
}

fn first_read(VReg(register): VReg, reads: &mut BitSet, writes: &BitSet) {
    if !writes.contains(register as usize) {
        reads.insert(register as usize);
    }
}

/// Makes `live` what is live before the terminator.
fn at_end(block: &Block, live_in: &[BitSet], live: &mut BitSet) {
    live.clear();
    for target in block.term.successors() {
        live_in.get(target.0 as usize).into_iter().for_each(|entry| {
            live.union(entry);
        });
    }
    block.term.for_each_use(|register| live.insert(register.0 as usize));
}

fn step(inst: &Inst, live: &mut BitSet) {
    inst.dst().into_iter().for_each(|VReg(dst)| live.remove(dst as usize));
    inst.for_each_use(|register| live.insert(register.0 as usize));
}
