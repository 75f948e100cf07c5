//! Stores to stack slots that nobody reads before they are overwritten, and neighbouring stores that fit one.
//!
//! Lowering zeroes keys and records before it fills them, since helpers read every byte; most of those zeros never
//! matter.

use std::cmp::Reverse;

use super::known::Known;
use super::reach::{Reach, Touch, read_later};
use crate::bits::BitSet;
use crate::ir::{Base, Block, Function, Inst, Operand, SlotId, Width};

/// One pass over the function; whether it changed anything.
pub(super) fn stores(function: &mut Function) -> bool {
    if function.slots.is_empty() {
        return false;
    }
    // Widening leaves addresses as they are.
    let reach = Reach::of(function);
    let widened = widen(function, &reach);
    drop_dead(function, &reach) | widened
}

/// Removes stores whose bytes are all overwritten, or never read.
fn drop_dead(function: &mut Function, reach: &Reach) -> bool {
    let later = read_later(function, reach);
    // The bytes of all slots, one slot behind the other.
    let mut starts = Vec::with_capacity(function.slots.len());
    let mut end = 0;
    for slot in &function.slots {
        starts.push(end..end + slot.size as usize);
        end += slot.size as usize;
    }
    let bytes_of = |slot: SlotId| starts.get(slot.0 as usize).cloned().unwrap_or_default();
    // Those whose present content does not matter.
    let mut free = BitSet::new(end);
    let mut changed = false;
    for (block, later) in function.blocks.iter_mut().zip(&later) {
        free.clear();
        for (index, bytes) in starts.iter().enumerate() {
            if !later.contains(index) {
                free.insert_range(bytes.clone());
            }
        }
        let mut dead: Vec<usize> = Vec::new();
        for (index, (inst, _)) in block.insts.iter().enumerate().rev() {
            if let Inst::Store { base: Base::Slot(slot), offset, width, .. } = *inst {
                let start = bytes_of(slot).start + offset as usize;
                let range = start..start + width.bytes() as usize;
                if free.contains_range(range.clone()) {
                    dead.push(index);
                    continue;
                }
                free.insert_range(range);
            }
            reach.for_each_touch(inst, |touch| {
                let bytes = bytes_of(touch.slot());
                match touch {
                    Touch::Read(_, start, count) => {
                        let start = bytes.start + start as usize;
                        free.remove_range(start..start + count as usize);
                    }
                    Touch::Any(_) => free.remove_range(bytes),
                    Touch::Write(..) => {}
                }
            });
        }
        changed |= !dead.is_empty();
        take_out(block, dead);
    }
    changed
}

/// Removes instructions by their places, the last one first.
fn take_out(block: &mut Block, mut places: Vec<usize>) {
    if places.is_empty() {
        return;
    }
    let mut index = 0;
    block.insts.retain(|_| {
        index += 1;
        places.pop_if(|place| *place == index - 1).is_none()
    });
}

/// A store that nothing has read or overwritten yet.
#[derive(Clone, Copy)]
struct Pending {
    index: usize,
    slot: SlotId,
    offset: u32,
    width: Width,
    value: Operand,
}

/// Joins a store with an earlier one to the other half of an aligned pair, at the place of the later one.
fn widen(function: &mut Function, reach: &Reach) -> bool {
    let mut known = Known::new(function);
    let mut changed = false;
    let mut pending: Vec<Pending> = Vec::new();
    for id in function.reverse_postorder() {
        let Some(block) = function.blocks.get_mut(id.0 as usize) else { continue };
        known.enter_block();
        pending.clear();
        let mut joined: Vec<usize> = Vec::new();
        for (index, (inst, _)) in block.insts.iter_mut().enumerate() {
            known.note(inst);
            let Inst::Store { base: Base::Slot(slot), offset, width, value } = *inst else {
                reach.for_each_touch(inst, |touch| pending.retain(|store| !store.meets(touch)));
                continue;
            };
            let mut store = Pending { index, slot, offset: offset as u32, width, value };
            while let Some((at, wider)) = join(&store, &pending, &known) {
                joined.push(pending.swap_remove(at).index);
                store = wider;
                changed = true;
            }
            let (offset, width, value) = (store.offset as i32, store.width, store.value);
            *inst = Inst::Store { base: Base::Slot(slot), offset, width, value };
            pending.retain(|other| !other.meets(Touch::Write(slot, store.offset, width.bytes())));
            if known.is_stable(store.value) {
                pending.push(store);
            }
        }
        joined.sort_unstable_by_key(|index| Reverse(*index));
        take_out(block, joined);
    }
    changed
}

impl Pending {
    fn meets(&self, touch: Touch) -> bool {
        let apart = match touch {
            Touch::Read(_, start, bytes) | Touch::Write(_, start, bytes) => {
                self.offset + self.width.bytes() <= start || start + bytes <= self.offset
            }
            Touch::Any(_) => false,
        };
        self.slot == touch.slot() && !apart
    }

    /// The value of the bytes at `offset`, if this store writes all of them.
    fn part(&self, offset: u32, width: Width) -> Option<Operand> {
        if self.offset == offset && self.width == width {
            return Some(self.value);
        }
        let shift = offset.checked_sub(self.offset).filter(|skip| skip + width.bytes() <= self.width.bytes())? * 8;
        self.value.constant().map(|value| Operand::Imm((value as u64 >> shift) as i64))
    }
}

/// The pending store that writes the other half of this one's pair and nothing beyond, and the store of both.
fn join(store: &Pending, pending: &[Pending], known: &Known) -> Option<(usize, Pending)> {
    let bytes = store.width.bytes();
    let wider = Width::from_bytes(bytes * 2)?;
    let (other_offset, start) = (store.offset ^ bytes, store.offset & !bytes);
    let candidate = |other: &Pending| {
        let inside = other.offset >= start && other.offset + other.width.bytes() <= start + wider.bytes();
        (other.slot == store.slot && inside).then(|| other.part(other_offset, store.width)).flatten()
    };
    let (at, other) = pending.iter().enumerate().find_map(|(at, other)| Some((at, candidate(other)?)))?;
    let (low, high) = if store.offset < other_offset { (store.value, other) } else { (other, store.value) };
    let bits = store.width.bits();
    let mask = (1u64 << bits) - 1;
    let value = match (low, high) {
        (Operand::Imm(low), Operand::Imm(high)) => {
            let value = (low as u64 & mask) | (high as u64 & mask) << bits;
            // A constant that would need a register is not worth it.
            let fits = wider != Width::B8 || i32::try_from(value as i64).is_ok();
            fits.then_some(Operand::Imm(value as i64))?
        }
        (Operand::Reg(_), Operand::Imm(high)) if high as u64 & mask == 0 && known.bits(low) <= bits => low,
        _ => return None,
    };
    Some((at, Pending { index: store.index, slot: store.slot, offset: start, width: wider, value }))
}
