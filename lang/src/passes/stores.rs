//! Stores to stack slots that nobody reads before they are overwritten, and neighbouring stores that fit one.
//!
//! Lowering zeroes keys and records before it fills them, since helpers read every byte; most of those zeros never
//! matter.

use super::known::Known;
use super::reach::{Reach, Touch, read_later};
use crate::bits::BitSet;
use crate::ir::{Base, Function, Inst, Operand, SlotId, Width};
use crate::span::Span;

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
    let sizes: Vec<usize> = function.slots.iter().map(|slot| slot.size as usize).collect();
    let mut changed = false;
    for (block, later) in function.blocks.iter_mut().zip(&later) {
        // For each slot the bytes whose present content does not matter.
        let mut free: Vec<BitSet> = Vec::with_capacity(sizes.len());
        for (index, size) in sizes.iter().enumerate() {
            let mut bytes = BitSet::new(*size);
            if !later.contains(index) {
                (0..*size).for_each(|byte| bytes.insert(byte));
            }
            free.push(bytes);
        }
        let mut kept: Vec<(Inst, Span)> = Vec::with_capacity(block.insts.len());
        for (inst, span) in std::mem::take(&mut block.insts).into_iter().rev() {
            if let Inst::Store { base: Base::Slot(slot), offset, width, .. } = inst {
                let Some(free) = free.get_mut(slot.0 as usize) else { continue };
                let range = offset as usize..offset as usize + width.bytes() as usize;
                if range.clone().all(|byte| free.contains(byte)) {
                    changed = true;
                    continue;
                }
                range.for_each(|byte| free.insert(byte));
            }
            reach.for_each_touch(&inst, |touch| {
                let Some(free) = free.get_mut(touch.slot().0 as usize) else { return };
                match touch {
                    Touch::Read(_, start, bytes) => (start..start + bytes).for_each(|byte| free.remove(byte as usize)),
                    Touch::Any(_) => free.clear(),
                    Touch::Write(..) => {}
                }
            });
            kept.push((inst, span));
        }
        kept.reverse();
        block.insts = kept;
    }
    changed
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
    for id in function.reverse_postorder() {
        let Some(block) = function.blocks.get_mut(id.0 as usize) else { continue };
        known.enter_block();
        let mut pending: Vec<Pending> = Vec::new();
        let mut joined = BitSet::new(block.insts.len());
        for (index, (inst, _)) in block.insts.iter_mut().enumerate() {
            known.note(inst);
            let Inst::Store { base: Base::Slot(slot), offset, width, value } = *inst else {
                reach.for_each_touch(inst, |touch| pending.retain(|store| !store.meets(touch)));
                continue;
            };
            let mut store = Pending { index, slot, offset: offset as u32, width, value };
            while let Some((at, wider)) = join(&store, &pending, &known) {
                joined.insert(pending.swap_remove(at).index);
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
        let mut index = 0;
        block.insts.retain(|_| {
            index += 1;
            !joined.contains(index - 1)
        });
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
