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
    /// For each register which of the sets is its, counted from 1; 0 where it holds no address of a slot.
    registers: Vec<u32>,
    sets: Vec<BitSet>,
    /// Slots whose address was stored in memory: anything may touch them.
    leaked: BitSet,
    leaks: bool,
}

impl Reach {
    /// Of all registers of a function.
    pub fn of(function: &Function) -> Self {
        let slots = function.slots.len();
        let leaked = BitSet::new(slots);
        let mut reach = Self { registers: vec![0; function.vregs as usize], sets: Vec::new(), leaked, leaks: false };
        let carriers: Vec<Carrier> = function.insts().filter_map(Carrier::of).collect();
        let mut changed = true;
        while changed {
            changed = false;
            for carrier in &carriers {
                changed |= reach.note(carrier, slots);
            }
        }
        reach.leaks = !reach.leaked.is_empty();
        reach
    }

    fn note(&mut self, carrier: &Carrier, slots: usize) -> bool {
        let mut found = BitSet::new(slots);
        match carrier.from {
            From::Slot(slot) => found.insert(slot.0 as usize),
            From::Registers(first, second) => {
                let own = |register: VReg| self.set(register).cloned();
                let (first, second) = (own(first), second.and_then(own));
                let Some(any) = first.as_ref().or(second.as_ref()) else { return false };
                found.union(any);
                second.iter().for_each(|second| {
                    found.union(second);
                });
            }
        }
        let Some(VReg(dst)) = carrier.to else { return self.leaked.union(&found) };
        let Some(entry) = self.registers.get_mut(dst as usize) else { return false };
        match (*entry as usize).checked_sub(1).and_then(|at| self.sets.get_mut(at)) {
            Some(set) => set.union(&found),
            None => {
                self.sets.push(found);
                *entry = self.sets.len() as u32;
                true
            }
        }
    }

    fn set(&self, register: VReg) -> Option<&BitSet> {
        let at = *self.registers.get(register.0 as usize)? as usize;
        self.sets.get(at.checked_sub(1)?)
    }

    /// Calls `visit` for everything an instruction may touch on the stack.
    pub fn for_each_touch(&self, inst: &Inst, mut visit: impl FnMut(Touch)) {
        let through = |operand: Operand, visit: &mut dyn FnMut(Touch)| {
            let slots = operand.register().and_then(|register| self.set(register)).into_iter().flat_map(BitSet::iter);
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
            Inst::Call { args, .. } | Inst::CallKernel { args, .. } => {
                args.iter().for_each(|arg| through(*arg, &mut visit));
                None
            }
            _ => return,
        };
        register.into_iter().for_each(|register| through(register.into(), &mut visit));
        if self.leaks {
            self.leaked.iter().for_each(|index| visit(Touch::Any(SlotId(index as u32))));
        }
    }
}

/// An instruction by which an address of a slot may get anywhere.
struct Carrier {
    /// The register; memory where there is none.
    to: Option<VReg>,
    from: From,
}

enum From {
    Slot(SlotId),
    Registers(VReg, Option<VReg>),
}

impl Carrier {
    fn of(inst: &Inst) -> Option<Self> {
        let (first, second) = match inst {
            Inst::SlotAddr { dst, slot, .. } => return Some(Self { to: Some(*dst), from: From::Slot(*slot) }),
            Inst::Copy { value, .. } | Inst::Store { value, .. } => (value.register(), None),
            Inst::Bin { op: Op::Add | Op::Sub, a, b, .. } => (a.register(), b.register()),
            _ => return None,
        };
        let (first, second) = (first.or(second)?, first.and(second));
        Some(Self { to: inst.dst(), from: From::Registers(first, second) })
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
    let mut settled = BitSet::new(function.blocks.len());
    let (mut changed, mut loops) = (true, false);
    while changed {
        changed = false;
        for id in &order {
            let Some(block) = function.blocks.get(id.0 as usize) else { continue };
            let mut own = later.get(id.0 as usize).cloned().unwrap_or_default();
            for target in block.term.successors() {
                loops |= !settled.contains(target.0 as usize);
                later.get(target.0 as usize).into_iter().chain(reads.get(target.0 as usize)).for_each(|set| {
                    own.union(set);
                });
            }
            changed |= later.get_mut(id.0 as usize).is_some_and(|entry| entry.union(&own));
            settled.insert(id.0 as usize);
        }
        // Behind each block only blocks that were done before: once is enough.
        changed &= loops;
    }
    later
}
