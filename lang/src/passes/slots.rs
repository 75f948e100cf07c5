//! Stack slots that are never in use at the same time become one.
//!
//! A slot is in use between the first and the last instruction that may touch it, on any way through the program. Done once at the
//! end, and only where the stack would otherwise be more than half full: the rest is for spilled registers.

use super::reach::{Reach, Touch, read_later};
use crate::bits::BitSet;
use crate::ir::{Base, Function, Inst, Slot, SlotId};

/// Bytes of slots that are left alone.
const ROOMY: u32 = 256;

/// Shares slots where space is short.
pub(super) fn merge(function: &mut Function) {
    let bytes: u32 = function.slots.iter().map(|slot| slot.size.saturating_add(7) & !7).fold(0, u32::saturating_add);
    if bytes <= ROOMY {
        return;
    }
    let meets = conflicts(function);
    let mut order: Vec<usize> = (0..function.slots.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(function.slots.get(*index).map_or(0, |slot| slot.size)));
    let mut shared: Vec<(Slot, BitSet)> = Vec::new();
    let mut places = vec![SlotId(0); function.slots.len()];
    for index in order {
        let (Some(slot), Some(own)) = (function.slots.get(index), meets.get(index)) else { continue };
        let free = shared.iter().position(|(_, members)| !members.iter().any(|member| own.contains(member)));
        let place = free.unwrap_or_else(|| {
            shared.push((*slot, BitSet::new(places.len())));
            shared.len() - 1
        });
        if let Some((_, members)) = shared.get_mut(place) {
            members.insert(index);
        }
        if let Some(entry) = places.get_mut(index) {
            *entry = SlotId(place as u32);
        }
    }
    function.slots = shared.into_iter().map(|(slot, _)| slot).collect();
    for (inst, _) in function.blocks.iter_mut().flat_map(|block| &mut block.insts) {
        if let Some(slot) = slot_mut(inst) {
            *slot = places.get(slot.0 as usize).copied().unwrap_or(*slot);
        }
    }
}

fn slot_mut(inst: &mut Inst) -> Option<&mut SlotId> {
    match inst {
        Inst::Load { base: Base::Slot(slot), .. }
        | Inst::Store { base: Base::Slot(slot), .. }
        | Inst::AtomicAdd { base: Base::Slot(slot), .. }
        | Inst::SlotAddr { slot, .. } => Some(slot),
        _ => None,
    }
}

/// For each slot those that are in use while it is.
fn conflicts(function: &Function) -> Vec<BitSet> {
    let slots = function.slots.len();
    let reach = Reach::of(function);
    let later = read_later(function, &reach);
    let before = written_before(function, &reach);
    let mut meets = vec![BitSet::new(slots); slots];
    for ((block, later), before) in function.blocks.iter().zip(&later).zip(&before) {
        let touches: Vec<Vec<Touch>> = block
            .insts
            .iter()
            .map(|(inst, _)| {
                let mut touched = Vec::new();
                reach.for_each_touch(inst, |touch| touched.push(touch));
                touched
            })
            .collect();
        // Backwards: which slots are read at or behind each instruction.
        let mut read = later.clone();
        let mut read_from: Vec<BitSet> = Vec::with_capacity(touches.len());
        for touched in touches.iter().rev() {
            let reads = touched.iter().filter(|touch| touch.reads());
            reads.for_each(|touch| read.insert(touch.slot().0 as usize));
            read_from.push(read.clone());
        }
        let mut written = before.clone();
        for (touched, read) in touches.iter().zip(read_from.iter().rev()) {
            let mut used = BitSet::new(slots);
            written.iter().filter(|slot| read.contains(*slot)).for_each(|slot| used.insert(slot));
            touched.iter().for_each(|touch| used.insert(touch.slot().0 as usize));
            touched.iter().for_each(|touch| written.insert(touch.slot().0 as usize));
            for slot in used.iter() {
                meets.get_mut(slot).into_iter().for_each(|set| {
                    set.union(&used);
                });
            }
        }
    }
    meets
}

/// For each block the slots that may have been touched on the way to its start.
fn written_before(function: &Function, reach: &Reach) -> Vec<BitSet> {
    let slots = function.slots.len();
    let own: Vec<BitSet> = function
        .blocks
        .iter()
        .map(|block| {
            let mut set = BitSet::new(slots);
            for (inst, _) in &block.insts {
                reach.for_each_touch(inst, |touch| set.insert(touch.slot().0 as usize));
            }
            set
        })
        .collect();
    let mut before = vec![BitSet::new(slots); function.blocks.len()];
    let order = function.reverse_postorder();
    let mut changed = true;
    while changed {
        changed = false;
        for id in &order {
            let Some(block) = function.blocks.get(id.0 as usize) else { continue };
            let mut after = before.get(id.0 as usize).cloned().unwrap_or_default();
            own.get(id.0 as usize).into_iter().for_each(|set| {
                after.union(set);
            });
            for target in block.term.successors() {
                changed |= before.get_mut(target.0 as usize).is_some_and(|entry| entry.union(&after));
            }
        }
    }
    before
}
