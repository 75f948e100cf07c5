//! Where each stack slot lies.
//!
//! Slots of the function follow one another, 8-byte aligned, downwards from the frame pointer. Slots of spilled registers come behind them;
//! those that never hold a value at the same time share a place.

use super::EmitError;
use super::machine::{Code, Inst, Place};
use crate::bits::BitSet;
use crate::ir::SlotId;
use crate::span::Span;

/// Bytes of stack a program has.
pub const STACK_BYTES: u32 = 512;

/// What a function takes of the stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Bytes.
    pub bytes: u32,
    /// The largest slot, its bytes, and where it is first used.
    pub largest: (SlotId, u32, Span),
}

impl Default for Frame {
    fn default() -> Self {
        Self { bytes: 0, largest: (SlotId(0), 0, Span::default()) }
    }
}

/// Where each slot starts, relative to the frame pointer.
pub(super) fn frame(code: &Code) -> Result<(Vec<i32>, Frame), EmitError> {
    let mut bytes = 0u32;
    let mut places = Vec::with_capacity(code.slots.len());
    for slot in code.slots.iter().take(code.own_slots) {
        bytes = bytes.saturating_add(slot.size.checked_next_multiple_of(8).unwrap_or(u32::MAX));
        places.push(-i32::try_from(bytes).unwrap_or(i32::MAX));
    }
    let shared = share(code);
    let spilled = shared.iter().max().map_or(0, |last| last + 1);
    places.extend(shared.iter().map(|place| -i32::try_from(bytes.saturating_add((place + 1) * 8)).unwrap_or(i32::MAX)));
    bytes = bytes.saturating_add(spilled * 8);
    let largest = code.slots.iter().enumerate().max_by_key(|(_, slot)| slot.size);
    let (index, slot_bytes) = largest.map_or((0, 0), |(index, slot)| (index, slot.size));
    let slot = SlotId(index as u32);
    let span = first_use(code, slot);
    if bytes > STACK_BYTES {
        return Err(EmitError::Stack { bytes, slot, slot_bytes, span });
    }
    Ok((places, Frame { bytes, largest: (slot, slot_bytes, span) }))
}

/// The place in the script that first uses a slot.
fn first_use(code: &Code, wanted: SlotId) -> Span {
    let uses = |inst: &Inst| match *inst {
        Inst::Frame { slot, .. } => slot == wanted,
        Inst::Load { place, .. } | Inst::Store { place, .. } | Inst::AtomicAdd { place, .. } => {
            place == Place::Slot(wanted)
        }
        _ => false,
    };
    let mut insts = code.blocks.iter().flat_map(|block| &block.insts);
    insts.find(|(inst, _)| uses(inst)).map(|(_, span)| *span).unwrap_or_default()
}

/// For each slot of a spilled register which place it gets, counted from 0.
fn share(code: &Code) -> Vec<u32> {
    let count = code.slots.len().saturating_sub(code.own_slots);
    let meets = conflicts(code, count);
    let mut members: Vec<BitSet> = Vec::new();
    let mut places = Vec::with_capacity(count);
    for (index, own) in meets.iter().enumerate() {
        let free = members.iter().position(|members| !members.iter().any(|member| own.contains(member)));
        let place = free.unwrap_or_else(|| {
            members.push(BitSet::new(count));
            members.len() - 1
        });
        members.get_mut(place).into_iter().for_each(|members| members.insert(index));
        places.push(place as u32);
    }
    places
}

/// What an instruction does with a slot of a spilled register; it always takes the whole slot.
enum Access {
    Read(usize),
    Write(usize),
}

fn access(code: &Code, inst: &Inst) -> Option<Access> {
    let index = |slot: SlotId| (slot.0 as usize).checked_sub(code.own_slots);
    match *inst {
        Inst::Load { place: Place::Slot(slot), .. } => index(slot).map(Access::Read),
        Inst::Store { place: Place::Slot(slot), .. } => index(slot).map(Access::Write),
        _ => None,
    }
}

/// For each slot of a spilled register those that hold a value when it is written.
fn conflicts(code: &Code, count: usize) -> Vec<BitSet> {
    let positions = code.positions();
    let mut live_in = vec![BitSet::new(count); code.blocks.len()];
    let mut meets = vec![BitSet::new(count); count];
    let mut changed = count > 0;
    while changed {
        changed = false;
        for (index, block) in code.blocks.iter().enumerate().rev() {
            let mut live = BitSet::new(count);
            for target in block.end.targets() {
                let entry = positions.get(target.0 as usize).and_then(|at| live_in.get(*at));
                entry.into_iter().for_each(|entry| {
                    live.union(entry);
                });
            }
            for (inst, _) in block.insts.iter().rev() {
                match access(code, inst) {
                    Some(Access::Read(slot)) => live.insert(slot),
                    Some(Access::Write(slot)) => {
                        live.remove(slot);
                        meets.get_mut(slot).into_iter().for_each(|set| {
                            set.union(&live);
                        });
                        live.iter().for_each(|other| meets.get_mut(other).into_iter().for_each(|set| set.insert(slot)));
                    }
                    None => {}
                }
            }
            changed |= live_in.get_mut(index).is_some_and(|entry| entry.union(&live));
        }
    }
    meets
}
