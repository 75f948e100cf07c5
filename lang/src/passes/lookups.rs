//! Map elements that are looked up twice are looked up once.
//!
//! `/@start[tid]/ { .. @start[tid] .. }` asks for the same element in its predicate and in its body. Two look-ups agree when they
//! name the same map, their keys on the stack hold the same values, and no element of the map was added or removed between
//! them. Followed along blocks that have one way in; elements stay valid to the end of the program. Stores of what a slot holds
//! already are dropped on the way.

use std::rc::Rc;

use bpf::helper::Helper;

use super::reach::{Reach, Touch};
use crate::bits::BitSet;
use crate::ir::{Base, BlockId, Function, Inst, MapRef, Once, Op, Operand, SlotId, VReg, Width};

/// How deep two values are compared by how they were made.
const DEPTH: u32 = 4;

/// One pass over the function; whether it changed anything.
pub(super) fn lookups(function: &mut Function) -> bool {
    let lookups = function.insts().filter(|inst| matches!(inst, Inst::Call { helper: Helper::MapLookupElem, .. }));
    if lookups.count() < 2 {
        return false;
    }
    let reach = Reach::of(function);
    let values = Values::of(function);
    let only_way = function.only_ways_in();
    let mut at_end: Vec<Option<State>> = vec![None; function.blocks.len()];
    let returns = function.blocks.iter().flat_map(|block| block.term.successors()).any(|target| target == BlockId(0));
    let mut at_start = Some(State::new(function, !returns));
    let mut changed = false;
    for id in function.reverse_postorder() {
        let before = only_way.get(id.0 as usize).copied().flatten();
        let known = before.and_then(|BlockId(index)| at_end.get(index as usize)?.clone());
        let first = if id == BlockId(0) { at_start.take() } else { None };
        let mut state = first.or(known).unwrap_or_else(|| State::new(function, false));
        let Some(block) = function.blocks.get_mut(id.0 as usize) else { continue };
        let count = block.insts.len();
        block.insts.retain_mut(|(inst, _)| {
            if state.holds(inst, &values) {
                return false;
            }
            if let Some(first) = state.pass(inst, &reach, &values)
                && let Some(dst) = inst.dst()
            {
                *inst = Inst::Copy { dst, value: first.into() };
                changed = true;
            }
            true
        });
        changed |= block.insts.len() != count;
        at_end.get_mut(id.0 as usize).into_iter().for_each(|end| *end = Some(std::mem::take(&mut state)));
    }
    changed
}

/// Part of what a slot holds.
#[derive(Clone, Copy, Debug)]
struct Part {
    slot: SlotId,
    offset: u32,
    width: Width,
    value: Operand,
}

/// A look-up that was made.
#[derive(Clone, Debug)]
struct Found {
    map: MapRef,
    key: Rc<[Part]>,
    element: VReg,
}

/// What is known at a point of the program.
#[derive(Clone, Debug, Default)]
struct State {
    parts: Vec<Part>,
    /// The slots to which something was written that is not known.
    obscured: BitSet,
    found: Vec<Found>,
    /// Whether this goes back to the start of the program, so that what is not known of a slot was never written.
    complete: bool,
}

impl State {
    /// Nothing is known, at the start of a program or anywhere.
    fn new(function: &Function, complete: bool) -> Self {
        Self { obscured: BitSet::new(function.slots.len()), complete, ..Self::default() }
    }

    /// Takes note of an instruction; gives the element it would find again.
    fn pass(&mut self, inst: &Inst, reach: &Reach, values: &Values) -> Option<VReg> {
        match inst {
            Inst::Store { base: Base::Slot(slot), offset, width, value } => {
                self.store(*slot, *offset as u32, *width, *value, values);
                None
            }
            Inst::Call { dst, helper: Helper::MapLookupElem, args } => self.lookup(*dst, args, values),
            // They read their key and value.
            Inst::Call { helper: Helper::MapUpdateElem | Helper::MapDeleteElem, args, .. } => {
                let changed = args.first().and_then(|map| values.map(*map));
                self.found.retain(|found| changed.is_some_and(|map| map != found.map));
                None
            }
            _ => {
                if matches!(inst, Inst::Call { helper: Helper::ForEachMapElem | Helper::Loop, .. }) {
                    self.found.clear();
                }
                reach.for_each_touch(inst, |touch| {
                    if !matches!(touch, Touch::Read(..)) {
                        self.obscured.insert(touch.slot().0 as usize);
                        self.parts.retain(|part| part.slot != touch.slot());
                    }
                });
                None
            }
        }
    }

    fn store(&mut self, slot: SlotId, offset: u32, width: Width, value: Operand, values: &Values) {
        let end = offset + width.bytes();
        let mut torn = false;
        self.parts.retain(|part| {
            let part_end = part.offset + part.width.bytes();
            let apart = part.slot != slot || part_end <= offset || end <= part.offset;
            torn |= !apart && (part.offset < offset || end < part_end);
            apart
        });
        if values.is_stable(value) {
            self.parts.push(Part { slot, offset, width, value });
        } else {
            torn = true;
        }
        if torn {
            self.obscured.insert(slot.0 as usize);
        }
    }

    /// Whether an instruction stores what its slot holds already.
    fn holds(&self, inst: &Inst, values: &Values) -> bool {
        let Inst::Store { base: Base::Slot(slot), offset, width, value } = inst else { return false };
        let place = (*slot, *offset as u32, *width);
        let part = self.parts.iter().find(|part| (part.slot, part.offset, part.width) == place);
        part.is_some_and(|part| values.are_equal(part.value, *value, DEPTH))
    }

    fn lookup(&mut self, dst: Option<VReg>, args: &[Operand], values: &Values) -> Option<VReg> {
        let [map, key] = args else { return None };
        let (map, (slot, start)) = (values.map(*map)?, values.slot(*key)?);
        let key = self.key(slot, start, values.slot_sizes.get(slot.0 as usize).copied()?)?;
        let same = |found: &&Found| {
            let pairs = || found.key.iter().zip(&key);
            let alike = |(a, b): (&Part, &Part)| {
                (a.offset, a.width) == (b.offset, b.width) && values.are_equal(a.value, b.value, DEPTH)
            };
            found.map == map && found.key.len() == key.len() && pairs().all(alike)
        };
        if let Some(first) = self.found.iter().find(same) {
            return Some(first.element);
        }
        if let Some(element) = dst.filter(|dst| values.is_stable((*dst).into())) {
            self.found.push(Found { map, key: key.into(), element });
        }
        None
    }

    /// The parts of a slot from `start` on, counted from there, if they are all that a helper may read: there is no gap to the end
    /// of the slot, or what is in the gaps was never written and so cannot belong to a key.
    fn key(&self, slot: SlotId, start: u32, size: u32) -> Option<Vec<Part>> {
        let parts = self.parts.iter().filter(|part| part.slot == slot && part.offset >= start);
        let mut key: Vec<Part> = parts.map(|part| Part { offset: part.offset - start, ..*part }).collect();
        key.sort_unstable_by_key(|part| part.offset);
        let mut at = 0;
        let mut gaps = false;
        for part in &key {
            gaps |= part.offset != at;
            at = part.offset + part.width.bytes();
        }
        gaps |= at + start < size;
        let never_written = self.complete && !self.obscured.contains(slot.0 as usize);
        (!key.is_empty() && (!gaps || never_written)).then_some(key)
    }
}

/// How a register was made, as far as that tells what it holds.
#[derive(Clone, Copy)]
enum Made {
    Map(MapRef),
    Slot(SlotId, i32),
    Bin(Op, Operand, Operand),
    Extend(Operand, Width, bool),
    Call(Helper),
}

/// How the registers that are assigned once were made.
struct Values {
    made: Vec<Option<Made>>,
    once: Once,
    slot_sizes: Vec<u32>,
}

impl Values {
    fn of(function: &Function) -> Self {
        let once = function.assigned_once();
        let mut made = vec![None; function.vregs as usize];
        for inst in function.insts() {
            let (dst, how) = match *inst {
                Inst::MapAddr { dst, map } => (dst, Made::Map(map)),
                Inst::SlotAddr { dst, slot, offset } => (dst, Made::Slot(slot, offset)),
                Inst::Bin { dst, op, a, b } => (dst, Made::Bin(op, a, b)),
                Inst::Extend { dst, value, width, signed } => (dst, Made::Extend(value, width, signed)),
                Inst::Call { dst: Some(dst), helper, .. } => (dst, Made::Call(helper)),
                _ => continue,
            };
            if let Some(entry) = made.get_mut(dst.0 as usize).filter(|_| once.contains(dst)) {
                *entry = Some(how);
            }
        }
        Self { made, once, slot_sizes: function.slots.iter().map(|slot| slot.size).collect() }
    }

    fn made(&self, operand: Operand) -> Option<Made> {
        self.made.get(operand.register()?.0 as usize).copied()?
    }

    fn is_stable(&self, operand: Operand) -> bool {
        self.once.is_stable(operand)
    }

    fn map(&self, operand: Operand) -> Option<MapRef> {
        match self.made(operand)? {
            Made::Map(map) => Some(map),
            _ => None,
        }
    }

    fn slot(&self, operand: Operand) -> Option<(SlotId, u32)> {
        match self.made(operand)? {
            Made::Slot(slot, offset) => Some((slot, u32::try_from(offset).ok()?)),
            _ => None,
        }
    }

    /// Whether two operands hold the same number: the same register, or made the same way of equal ones.
    fn are_equal(&self, a: Operand, b: Operand, depth: u32) -> bool {
        if a == b {
            return self.is_stable(a);
        }
        let (Some(left), Some(right), Some(depth)) = (self.made(a), self.made(b), depth.checked_sub(1)) else {
            return false;
        };
        let equal = |a: Operand, b: Operand| self.are_equal(a, b, depth);
        match (left, right) {
            (Made::Bin(op, a, b), Made::Bin(other, c, d)) => op == other && equal(a, c) && equal(b, d),
            (Made::Extend(value, width, signed), Made::Extend(other, other_width, other_signed)) => {
                (width, signed) == (other_width, other_signed) && equal(value, other)
            }
            (Made::Call(helper), Made::Call(other)) => helper == other && helper.is_constant_in_a_run(),
            _ => false,
        }
    }
}
