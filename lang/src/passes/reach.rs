//! Which instructions may touch which stack slots.
//!
//! A register may hold the address of a slot when it was made from one, by whatever copies and sums; that is followed for all
//! registers alike, however often they are assigned. Helpers use what they are handed and keep nothing.

use crate::bits::BitSet;
use crate::ir::{Base, Function, Inst, Op, Operand, SlotId, VReg};

/// How an instruction touches memory on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    /// Reads these bytes of the slot.
    Read(SlotId, u32, u32),
    /// Writes these bytes of the slot.
    Write(SlotId, u32, u32),
    /// May read and write any of the slot.
    Any(SlotId),
}

impl Touch {
    /// The slot.
    pub fn slot(self) -> SlotId {
        match self {
            Touch::Read(slot, ..) | Touch::Write(slot, ..) | Touch::Any(slot) => slot,
        }
    }
}

impl Touch {
    /// Whether it may read.
    pub fn reads(self) -> bool {
        !matches!(self, Touch::Write(..))
    }
}

/// The slots whose address each register may hold.
#[derive(Debug)]
pub(super) struct Reach {
    registers: Vec<Option<BitSet>>,
    /// Slots whose address was stored in memory: anything may touch them.
    leaked: BitSet,
}

impl Reach {
    /// Of all registers of a function.
    pub fn of(function: &Function) -> Self {
        let slots = function.slots.len();
        let mut reach = Self { registers: vec![None; function.vregs as usize], leaked: BitSet::new(slots) };
        let mut changed = true;
        while changed {
            changed = false;
            for inst in function.insts() {
                changed |= reach.note(inst, slots);
            }
        }
        reach
    }

    fn note(&mut self, inst: &Inst, slots: usize) -> bool {
        let (first, second) = match inst {
            Inst::SlotAddr { dst, slot, .. } => {
                let Some(entry) = self.registers.get_mut(dst.0 as usize) else { return false };
                let set = entry.get_or_insert_with(|| BitSet::new(slots));
                let new = !set.contains(slot.0 as usize);
                set.insert(slot.0 as usize);
                return new;
            }
            Inst::Copy { value, .. } | Inst::Store { value, .. } => (*value, None),
            Inst::Bin { op: Op::Add | Op::Sub, a, b, .. } => (*a, Some(*b)),
            _ => return false,
        };
        let mut found: Option<BitSet> = None;
        for set in [Some(first), second].into_iter().flatten().filter_map(|operand| self.set(operand)) {
            found.get_or_insert_with(|| BitSet::new(slots)).union(set);
        }
        let Some(found) = found else { return false };
        match inst.dst() {
            None => self.leaked.union(&found),
            Some(VReg(dst)) => self.registers.get_mut(dst as usize).is_some_and(|entry| match entry {
                Some(set) => set.union(&found),
                None => {
                    *entry = Some(found);
                    true
                }
            }),
        }
    }

    fn set(&self, operand: Operand) -> Option<&BitSet> {
        self.registers.get(operand.register()?.0 as usize)?.as_ref()
    }

    /// Calls `visit` for everything an instruction may touch on the stack.
    pub fn for_each_touch(&self, inst: &Inst, mut visit: impl FnMut(Touch)) {
        let through = |operand: Operand, visit: &mut dyn FnMut(Touch)| {
            let slots = self.set(operand).into_iter().flat_map(BitSet::iter);
            slots.for_each(|index| visit(Touch::Any(SlotId(index as u32))));
        };
        let register = match inst {
            Inst::Load { base: Base::Slot(slot), offset, width, .. } => {
                return visit(Touch::Read(*slot, *offset as u32, width.bytes()));
            }
            Inst::Store { base: Base::Slot(slot), offset, width, .. } => {
                return visit(Touch::Write(*slot, *offset as u32, width.bytes()));
            }
            Inst::AtomicAdd { base: Base::Slot(slot), .. } => return visit(Touch::Any(*slot)),
            Inst::Load { base: Base::Reg(base), .. }
            | Inst::Store { base: Base::Reg(base), .. }
            | Inst::AtomicAdd { base: Base::Reg(base), .. } => Some(*base),
            Inst::Call { args, .. } => {
                args.iter().for_each(|arg| through(*arg, &mut visit));
                None
            }
            _ => return,
        };
        register.into_iter().for_each(|register| through(register.into(), &mut visit));
        self.leaked.iter().for_each(|index| visit(Touch::Any(SlotId(index as u32))));
    }
}

/// For each block the slots that may be read behind its end before the program ends.
pub(super) fn read_later(function: &Function, reach: &Reach) -> Vec<BitSet> {
    let slots = function.slots.len();
    let mut reads: Vec<BitSet> = Vec::with_capacity(function.blocks.len());
    for block in &function.blocks {
        let mut own = BitSet::new(slots);
        for (inst, _) in &block.insts {
            reach.for_each_touch(inst, |touch| {
                if touch.reads() {
                    own.insert(touch.slot().0 as usize);
                }
            });
        }
        reads.push(own);
    }
    let mut later = vec![BitSet::new(slots); function.blocks.len()];
    let mut order = function.reverse_postorder();
    order.reverse();
    let mut changed = true;
    while changed {
        changed = false;
        for id in &order {
            let Some(block) = function.blocks.get(id.0 as usize) else { continue };
            let mut own = later.get(id.0 as usize).cloned().unwrap_or_default();
            for target in block.term.successors() {
                later.get(target.0 as usize).into_iter().chain(reads.get(target.0 as usize)).for_each(|set| {
                    own.union(set);
                });
            }
            changed |= later.get_mut(id.0 as usize).is_some_and(|entry| entry.union(&own));
        }
    }
    later
}
