//! Single instructions and terminators that mean something simpler.
//!
//! Constants are computed, neutral operands vanish, multiplication and division by powers of two become shifts and masks,
//! comparisons of comparisons and chains of additions become one.

use super::known::{Known, Made};
use crate::ir::{Base, BlockId, Cmp, Inst, Op, Operand, Term, VReg};

/// The simpler instruction, if there is one.
pub(super) fn fold(inst: &Inst, known: &Known) -> Option<Inst> {
    match *inst {
        Inst::Bin { dst, op, a, b } => bin(dst, op, a, b, known),
        Inst::Extend { dst, value, width, signed } => {
            let shift = 64 - width.bits();
            let same = match (value, signed) {
                (Operand::Imm(value), true) => return Some(copy(dst, value << shift >> shift)),
                (Operand::Imm(value), false) => return Some(copy(dst, ((value as u64) << shift >> shift) as i64)),
                (_, true) => known.is_sign_extended(value, width),
                (_, false) => known.bits(value) <= width.bits(),
            };
            same.then_some(Inst::Copy { dst, value })
        }
        Inst::Swap { .. } => None,
        Inst::Set { dst, cmp, a, b } => Some(match compare(cmp, a, b, known)? {
            Compared::Always(holds) => copy(dst, i64::from(holds)),
            Compared::By(Cmp::Ne, value, Operand::Imm(0)) if known.bits(value) <= 1 => Inst::Copy { dst, value },
            Compared::By(cmp, a, b) => Inst::Set { dst, cmp, a, b },
        }),
        Inst::Load { dst, base, offset, width, signed } => {
            moved(base, offset, known).map(|(base, offset)| Inst::Load { dst, base, offset, width, signed })
        }
        Inst::Store { base, offset, width, value } => {
            moved(base, offset, known).map(|(base, offset)| Inst::Store { base, offset, width, value })
        }
        Inst::AtomicAdd { base, offset, width, value } => {
            moved(base, offset, known).map(|(base, offset)| Inst::AtomicAdd { base, offset, width, value })
        }
        _ => None,
    }
}

fn moved(base: Base, offset: i32, known: &Known) -> Option<(Base, i32)> {
    let nearer = known.base(base, offset);
    (nearer != (base, offset)).then_some(nearer)
}

/// The simpler terminator, if there is one.
pub(super) fn fold_term(term: &Term, known: &Known) -> Option<Term> {
    let Term::Branch { cmp, a, b, then, otherwise } = *term else { return None };
    if then == otherwise {
        return Some(Term::Jump(then));
    }
    Some(match compare(cmp, a, b, known)? {
        Compared::Always(holds) => Term::Jump(target(holds, then, otherwise)),
        Compared::By(cmp, a, b) => Term::Branch { cmp, a, b, then, otherwise },
    })
}

fn target(holds: bool, then: BlockId, otherwise: BlockId) -> BlockId {
    if holds { then } else { otherwise }
}

fn copy(dst: VReg, value: i64) -> Inst {
    Inst::Copy { dst, value: Operand::Imm(value) }
}

fn bin(dst: VReg, op: Op, a: Operand, b: Operand, known: &Known) -> Option<Inst> {
    let simpler = |op, a, b| Some(Inst::Bin { dst, op, a, b });
    let constant = match (a, b) {
        (Operand::Imm(left), Operand::Imm(right)) => return Some(copy(dst, op.eval(left, right))),
        (Operand::Imm(_), Operand::Reg(_)) if op.is_commutative() => return simpler(op, b, a),
        (Operand::Reg(left), Operand::Reg(right)) => {
            return (left == right && matches!(op, Op::Sub | Op::Xor)).then(|| copy(dst, 0));
        }
        (_, Operand::Reg(_)) => return None,
        (_, Operand::Imm(constant)) => constant,
    };
    let power = (constant > 0 && constant.count_ones() == 1).then(|| i64::from(constant.trailing_zeros()));
    match (op, constant) {
        (Op::Add | Op::Sub | Op::Or | Op::Xor | Op::Shl | Op::LShr | Op::AShr, 0)
        | (Op::Mul | Op::UDiv, 1)
        | (Op::And, -1)
        | (Op::UMod, 0) => return Some(Inst::Copy { dst, value: a }),
        (Op::Mul | Op::And | Op::UDiv, 0) | (Op::UMod, 1) => return Some(copy(dst, 0)),
        (Op::Sub, _) if constant != i64::MIN => return simpler(Op::Add, a, Operand::Imm(-constant)),
        _ => {}
    }
    match (op, power) {
        (Op::Mul, Some(power)) => return simpler(Op::Shl, a, Operand::Imm(power)),
        (Op::UDiv, Some(power)) => return simpler(Op::LShr, a, Operand::Imm(power)),
        (Op::UMod, Some(_)) => return simpler(Op::And, a, Operand::Imm(constant - 1)),
        _ => {}
    }
    match (op, known.made_operand(a)?) {
        (Op::Add, Made::Bin(Op::Add, start, Operand::Imm(first))) => {
            simpler(Op::Add, start, Operand::Imm(first.wrapping_add(constant)))
        }
        (Op::Add, Made::Slot(slot, start)) => {
            let offset = constant.checked_add(i64::from(start)).filter(|offset| known.is_in_slot(slot, *offset))?;
            Some(Inst::SlotAddr { dst, slot, offset: offset as i32 })
        }
        (Op::Add, Made::MapValue(map, start)) => {
            let offset = constant.checked_add(i64::from(start)).and_then(|offset| u32::try_from(offset).ok())?;
            Some(Inst::MapValueAddr { dst, map, offset })
        }
        (Op::And, Made::Bin(Op::And, value, Operand::Imm(mask))) => {
            simpler(Op::And, value, Operand::Imm(mask & constant))
        }
        (Op::And, _) if constant == low_bits(known.bits(a)) => Some(Inst::Copy { dst, value: a }),
        _ => None,
    }
}

fn low_bits(bits: u32) -> i64 {
    1u64.checked_shl(bits).map_or(-1, |limit| (limit - 1) as i64)
}

/// What is left of a comparison.
enum Compared {
    Always(bool),
    By(Cmp, Operand, Operand),
}

fn compare(cmp: Cmp, a: Operand, b: Operand, known: &Known) -> Option<Compared> {
    let (Operand::Reg(register), constant) = (a, b) else {
        return Some(match (a, b) {
            (Operand::Imm(left), Operand::Imm(right)) => Compared::Always(cmp.eval(left, right)),
            _ => Compared::By(cmp.swapped(), b, a),
        });
    };
    let constant = match constant {
        Operand::Reg(other) if other == register => return Some(Compared::Always(cmp.eval(0, 0))),
        Operand::Reg(_) => return None,
        Operand::Imm(constant) => constant,
    };
    let is_address = matches!(known.made(register), Some(Made::Slot(..) | Made::MapValue(..)));
    match (cmp, constant) {
        (Cmp::UGe, 0) => Some(Compared::Always(true)),
        (Cmp::ULt, 0) => Some(Compared::Always(false)),
        (Cmp::UGt, 0) | (Cmp::UGe, 1) => Some(Compared::By(Cmp::Ne, a, Operand::Imm(0))),
        (Cmp::ULe, 0) | (Cmp::ULt, 1) => Some(Compared::By(Cmp::Eq, a, Operand::Imm(0))),
        (Cmp::Ne | Cmp::Eq, 0) if is_address => Some(Compared::Always(cmp == Cmp::Ne)),
        (Cmp::Ne | Cmp::Eq, 0 | 1) => match known.made(register)? {
            Made::Set(inner, a, b) => {
                let positive = (cmp == Cmp::Ne) == (constant == 0);
                Some(Compared::By(if positive { inner } else { inner.inverse() }, a, b))
            }
            _ => None,
        },
        _ => None,
    }
}
