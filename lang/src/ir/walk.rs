//! What an instruction reads and writes, and where a block leads: the questions every pass asks.

use super::{Base, BlockId, Cmp, Function, Inst, Op, Operand, Term, VReg};
use crate::bits::BitSet;

impl Inst {
    /// The register it assigns.
    pub fn dst(&self) -> Option<VReg> {
        match self {
            Inst::Copy { dst, .. }
            | Inst::Bin { dst, .. }
            | Inst::Extend { dst, .. }
            | Inst::Swap { dst, .. }
            | Inst::Set { dst, .. }
            | Inst::Load { dst, .. }
            | Inst::SlotAddr { dst, .. }
            | Inst::MapAddr { dst, .. }
            | Inst::MapValueAddr { dst, .. }
            | Inst::Context { dst }
            | Inst::Argument { dst, .. }
            | Inst::FunctionAddr { dst, .. }
            | Inst::CallKernel { dst, .. } => Some(*dst),
            Inst::Call { dst, .. } => *dst,
            Inst::Store { .. } | Inst::AtomicAdd { .. } => None,
        }
    }

    /// Calls `visit` for every register it reads.
    pub fn for_each_use(&self, mut visit: impl FnMut(VReg)) {
        let mut operand = |operand: &Operand| {
            if let Operand::Reg(register) = operand {
                visit(*register);
            }
        };
        match self {
            Inst::Copy { value, .. } | Inst::Extend { value, .. } => operand(value),
            Inst::Bin { a, b, .. } | Inst::Set { a, b, .. } => {
                operand(a);
                operand(b);
            }
            Inst::Call { args, .. } | Inst::CallKernel { args, .. } => args.iter().for_each(operand),
            Inst::Swap { value, .. } => visit(*value),
            Inst::Load { base, .. } => base.register().into_iter().for_each(visit),
            Inst::Store { base, value, .. } => {
                operand(value);
                base.register().into_iter().for_each(visit);
            }
            Inst::AtomicAdd { base, value, .. } => {
                visit(*value);
                base.register().into_iter().for_each(visit);
            }
            Inst::SlotAddr { .. } | Inst::MapAddr { .. } | Inst::MapValueAddr { .. } | Inst::Context { .. } => {}
            Inst::Argument { .. } | Inst::FunctionAddr { .. } => {}
        }
    }

    /// Calls `visit` for every operand that may be a register or a constant.
    pub fn for_each_operand_mut(&mut self, visit: impl FnMut(&mut Operand)) {
        match self {
            Inst::Copy { value, .. } | Inst::Extend { value, .. } | Inst::Store { value, .. } => {
                [value].into_iter().for_each(visit)
            }
            Inst::Bin { a, b, .. } | Inst::Set { a, b, .. } => [a, b].into_iter().for_each(visit),
            Inst::Call { args, .. } | Inst::CallKernel { args, .. } => args.iter_mut().for_each(visit),
            _ => {}
        }
    }

    /// Calls `visit` for every place that takes a register only: bases, and values that cannot be constants.
    pub fn for_each_register_mut(&mut self, visit: impl FnMut(&mut VReg)) {
        match self {
            Inst::Load { base: Base::Reg(base), .. } | Inst::Store { base: Base::Reg(base), .. } => {
                [base].into_iter().for_each(visit);
            }
            Inst::AtomicAdd { base: Base::Reg(base), value, .. } => [base, value].into_iter().for_each(visit),
            Inst::AtomicAdd { value, .. } | Inst::Swap { value, .. } => [value].into_iter().for_each(visit),
            _ => {}
        }
    }

    /// Whether it does more than assign its register, so that it stays when nobody reads that.
    pub fn has_effect(&self) -> bool {
        match self {
            Inst::Store { .. } | Inst::AtomicAdd { .. } | Inst::CallKernel { .. } => true,
            Inst::Call { helper, .. } => !helper.is_pure(),
            _ => false,
        }
    }
}

impl Term {
    /// The blocks it may go to, each once per edge.
    pub fn successors(&self) -> impl Iterator<Item = BlockId> + use<> {
        let (first, second) = match *self {
            Term::Jump(target) => (Some(target), None),
            Term::Branch { then, otherwise, .. } => (Some(then), Some(otherwise)),
            Term::Exit(_) => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// Calls `visit` for every block it may go to.
    pub fn for_each_target_mut(&mut self, mut visit: impl FnMut(&mut BlockId)) {
        match self {
            Term::Jump(target) => visit(target),
            Term::Branch { then, otherwise, .. } => {
                visit(then);
                visit(otherwise);
            }
            Term::Exit(_) => {}
        }
    }

    /// Calls `visit` for every register it reads.
    pub fn for_each_use(&self, mut visit: impl FnMut(VReg)) {
        let mut operand = |operand: &Operand| {
            if let Operand::Reg(register) = operand {
                visit(*register);
            }
        };
        match self {
            Term::Branch { a, b, .. } => {
                operand(a);
                operand(b);
            }
            Term::Exit(value) => operand(value),
            Term::Jump(_) => {}
        }
    }

    /// Calls `visit` for every operand.
    pub fn for_each_operand_mut(&mut self, mut visit: impl FnMut(&mut Operand)) {
        match self {
            Term::Branch { a, b, .. } => {
                visit(a);
                visit(b);
            }
            Term::Exit(value) => visit(value),
            Term::Jump(_) => {}
        }
    }
}

impl Base {
    /// The register, where the base is one.
    pub fn register(self) -> Option<VReg> {
        match self {
            Base::Reg(register) => Some(register),
            Base::Slot(_) => None,
        }
    }
}

impl Operand {
    /// The register, where the operand is one.
    pub fn register(self) -> Option<VReg> {
        match self {
            Operand::Reg(register) => Some(register),
            Operand::Imm(_) => None,
        }
    }

    /// The constant, where the operand is one.
    pub fn constant(self) -> Option<i64> {
        match self {
            Operand::Reg(_) => None,
            Operand::Imm(value) => Some(value),
        }
    }
}

impl Op {
    /// Whether the operands may be swapped.
    pub fn is_commutative(self) -> bool {
        matches!(self, Op::Add | Op::Mul | Op::And | Op::Or | Op::Xor)
    }

    /// The operation on two constants.
    pub fn eval(self, a: i64, b: i64) -> i64 {
        let (ua, ub) = (a as u64, b as u64);
        match self {
            Op::Add => a.wrapping_add(b),
            Op::Sub => a.wrapping_sub(b),
            Op::Mul => a.wrapping_mul(b),
            Op::UDiv => ua.checked_div(ub).unwrap_or(0) as i64,
            Op::UMod => ua.checked_rem(ub).unwrap_or(ua) as i64,
            Op::And => a & b,
            Op::Or => a | b,
            Op::Xor => a ^ b,
            Op::Shl => a << (b & 63),
            Op::LShr => (ua >> (b & 63)) as i64,
            Op::AShr => a >> (b & 63),
        }
    }
}

impl Cmp {
    /// Whether it holds for two constants.
    pub fn eval(self, a: i64, b: i64) -> bool {
        let (ua, ub) = (a as u64, b as u64);
        match self {
            Cmp::Eq => a == b,
            Cmp::Ne => a != b,
            Cmp::ULt => ua < ub,
            Cmp::ULe => ua <= ub,
            Cmp::UGt => ua > ub,
            Cmp::UGe => ua >= ub,
            Cmp::SLt => a < b,
            Cmp::SLe => a <= b,
            Cmp::SGt => a > b,
            Cmp::SGe => a >= b,
        }
    }

    /// The comparison that holds exactly where this one does not.
    #[must_use]
    pub fn inverse(self) -> Self {
        match self {
            Cmp::Eq => Cmp::Ne,
            Cmp::Ne => Cmp::Eq,
            Cmp::ULt => Cmp::UGe,
            Cmp::ULe => Cmp::UGt,
            Cmp::UGt => Cmp::ULe,
            Cmp::UGe => Cmp::ULt,
            Cmp::SLt => Cmp::SGe,
            Cmp::SLe => Cmp::SGt,
            Cmp::SGt => Cmp::SLe,
            Cmp::SGe => Cmp::SLt,
        }
    }

    /// The comparison with its operands swapped.
    #[must_use]
    pub fn swapped(self) -> Self {
        match self {
            Cmp::Eq => Cmp::Eq,
            Cmp::Ne => Cmp::Ne,
            Cmp::ULt => Cmp::UGt,
            Cmp::ULe => Cmp::UGe,
            Cmp::UGt => Cmp::ULt,
            Cmp::UGe => Cmp::ULe,
            Cmp::SLt => Cmp::SGt,
            Cmp::SLe => Cmp::SGe,
            Cmp::SGt => Cmp::SLt,
            Cmp::SGe => Cmp::SLe,
        }
    }
}

/// Registers by how often they are assigned.
#[derive(Debug)]
pub(crate) struct Once {
    assigned: BitSet,
    again: BitSet,
}

impl Once {
    /// Whether a register is assigned once.
    pub fn contains(&self, VReg(register): VReg) -> bool {
        self.assigned.contains(register as usize) && !self.again.contains(register as usize)
    }

    /// Whether an operand means the same wherever it may be read.
    pub fn is_stable(&self, operand: Operand) -> bool {
        operand.register().is_none_or(|register| self.contains(register))
    }
}

impl Function {
    /// The registers that are assigned once. Such a one has the same value wherever it may be read, as in SSA: every path to a read
    /// passes the assignment.
    pub(crate) fn assigned_once(&self) -> Once {
        let registers = self.vregs as usize;
        let mut once = Once { assigned: BitSet::new(registers), again: BitSet::new(registers) };
        for block in &self.blocks {
            for (inst, _) in &block.insts {
                if let Some(VReg(dst)) = inst.dst() {
                    let before =
                        if once.assigned.contains(dst as usize) { &mut once.again } else { &mut once.assigned };
                    before.insert(dst as usize);
                }
            }
        }
        once
    }

    /// Every instruction, block by block.
    pub fn insts(&self) -> impl Iterator<Item = &Inst> {
        self.blocks.iter().flat_map(|block| block.insts.iter().map(|(inst, _)| inst))
    }

    /// For each block the one block that leads to it, where there is one only.
    pub fn only_ways_in(&self) -> Vec<Option<BlockId>> {
        let mut ways = vec![(0u32, None); self.blocks.len()];
        for id in self.reverse_postorder() {
            for target in self.blocks.get(id.0 as usize).into_iter().flat_map(|block| block.term.successors()) {
                if let Some((count, from)) = ways.get_mut(target.0 as usize) {
                    *count += 1;
                    *from = Some(id);
                }
            }
        }
        // The entry has a way in that no block stands for.
        ways.iter_mut().take(1).for_each(|(count, _)| *count += 1);
        ways.into_iter().map(|(count, from)| from.filter(|_| count == 1)).collect()
    }

    /// Blocks that can be reached, each before its successors except on edges that go back, and what a branch does before what it
    /// does otherwise.
    pub fn reverse_postorder(&self) -> Vec<BlockId> {
        let mut order = Vec::with_capacity(self.blocks.len());
        let mut seen = vec![false; self.blocks.len()];
        // Blocks under way, with how many of their successors have been visited.
        let mut open: Vec<(BlockId, u8)> = Vec::new();
        let mut next = Some(BlockId(0));
        loop {
            if let Some(id) = next.take()
                && let Some(seen) = seen.get_mut(id.0 as usize).filter(|seen| !**seen)
            {
                *seen = true;
                open.push((id, 0));
            }
            let Some((id, visited)) = open.last_mut() else { break };
            let (id, index) = (*id, *visited);
            *visited += 1;
            next = match (self.blocks.get(id.0 as usize).map(|block| &block.term), index) {
                (Some(Term::Jump(target)), 0) => Some(*target),
                (Some(Term::Branch { otherwise, .. }), 0) => Some(*otherwise),
                (Some(Term::Branch { then, .. }), 1) => Some(*then),
                _ => None,
            };
            if next.is_none() {
                order.push(id);
                open.pop();
            }
        }
        order.reverse();
        order
    }
}
