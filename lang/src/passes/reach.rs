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
        let mut found = BitSet::new(slots);
        match inst {
            Inst::SlotAddr { slot, .. } => found.insert(slot.0 as usize),
            Inst::Copy { value, .. } => self.add(*value, &mut found),
            Inst::Bin { op: Op::Add | Op::Sub, a, b, .. } => {
                self.add(*a, &mut found);
                self.add(*b, &mut found);
            }
            Inst::Store { value, .. } => {
                self.add(*value, &mut found);
                return self.leaked.union(&found);
            }
            _ => return false,
        }
        let Some(entry) = inst.dst().and_then(|VReg(dst)| self.registers.get_mut(dst as usize)) else { return false };
        if found.iter().next().is_none() {
            return false;
        }
        entry.get_or_insert_with(|| BitSet::new(slots)).union(&found)
    }

    fn add(&self, operand: Operand, found: &mut BitSet) {
        if let Some(set) =
            operand.register().and_then(|VReg(index)| self.registers.get(index as usize)).and_then(Option::as_ref)
        {
            found.union(set);
        }
    }

    fn slots_of(&self, operand: Operand) -> impl Iterator<Item = SlotId> {
        let set =
            operand.register().and_then(|VReg(index)| self.registers.get(index as usize)).and_then(Option::as_ref);
        set.into_iter().flat_map(BitSet::iter).map(|index| SlotId(index as u32))
    }

    /// Everything an instruction may touch on the stack.
    pub fn touches(&self, inst: &Inst) -> Vec<Touch> {
        let mut touched = Vec::new();
        match inst {
            Inst::Load { base, offset, width, .. } => match base {
                Base::Slot(slot) => touched.push(Touch::Read(*slot, *offset as u32, width.bytes())),
                Base::Reg(register) => self.through((*register).into(), &mut touched),
            },
            Inst::Store { base, offset, width, .. } => match base {
                Base::Slot(slot) => touched.push(Touch::Write(*slot, *offset as u32, width.bytes())),
                Base::Reg(register) => self.through((*register).into(), &mut touched),
            },
            Inst::AtomicAdd { base, .. } => match base {
                Base::Slot(slot) => touched.push(Touch::Any(*slot)),
                Base::Reg(register) => self.through((*register).into(), &mut touched),
            },
            Inst::Call { args, .. } => {
                args.iter().for_each(|arg| touched.extend(self.slots_of(*arg).map(Touch::Any)));
                self.add_leaked(&mut touched);
            }
            _ => {}
        }
        touched
    }

    fn through(&self, base: Operand, touched: &mut Vec<Touch>) {
        touched.extend(self.slots_of(base).map(Touch::Any));
        self.add_leaked(touched);
    }

    fn add_leaked(&self, touched: &mut Vec<Touch>) {
        touched.extend(self.leaked.iter().map(|index| Touch::Any(SlotId(index as u32))));
    }
}

/// For each block the slots that may be read behind its end before the program ends.
pub(super) fn read_later(function: &Function, reach: &Reach) -> Vec<BitSet> {
    let slots = function.slots.len();
    let mut reads: Vec<BitSet> = Vec::with_capacity(function.blocks.len());
    for block in &function.blocks {
        let mut own = BitSet::new(slots);
        for (inst, _) in &block.insts {
            let touched = reach.touches(inst);
            let read = touched.into_iter().filter(|touch| !matches!(touch, Touch::Write(..)));
            read.for_each(|touch| own.insert(touch.slot().0 as usize));
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
