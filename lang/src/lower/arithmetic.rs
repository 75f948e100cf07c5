//! Arithmetic by the language's rules, where the machine's differ: division is signed or unsigned, and by zero gives 1.

use bpf::helper::Helper;

use super::Lowerer;
use crate::ast::BinaryOp;
use crate::ir::{Cmp, Op, Operand, VReg};

impl Lowerer<'_> {
    pub(super) fn binary(&mut self, op: BinaryOp, signed: bool, left: Operand, right: Operand) -> Operand {
        let op = match op {
            BinaryOp::Add => Op::Add,
            BinaryOp::Sub => Op::Sub,
            BinaryOp::Mul => Op::Mul,
            BinaryOp::BitAnd => Op::And,
            BinaryOp::BitOr => Op::Or,
            BinaryOp::BitXor => Op::Xor,
            BinaryOp::Shl => Op::Shl,
            BinaryOp::Shr if signed => Op::AShr,
            BinaryOp::Shr => Op::LShr,
            BinaryOp::Div => return self.divide(Op::UDiv, signed, left, right),
            BinaryOp::Mod => return self.divide(Op::UMod, signed, left, right),
            // Comparisons and logic have nodes of their own.
            _ => return Operand::Imm(0),
        };
        let right = match (op, right) {
            // A constant shift by the width or more is 0 in the language and refused by the verifier.
            (Op::Shl | Op::LShr | Op::AShr, Operand::Imm(bits)) if !(0..64).contains(&bits) => {
                return if op == Op::AShr { self.b.ashr(left, 63).into() } else { Operand::Imm(0) };
            }
            (_, right) => right,
        };
        self.b.bin(op, left, right).into()
    }

    /// `-value`
    pub fn negate(&mut self, value: Operand) -> Operand {
        match value {
            Operand::Imm(value) => Operand::Imm(value.wrapping_neg()),
            value => self.b.sub(0, value).into(),
        }
    }

    fn divide(&mut self, op: Op, signed: bool, left: Operand, right: Operand) -> Operand {
        match right {
            Operand::Imm(0) => Operand::Imm(1),
            Operand::Imm(_) => self.quotient(op, signed, left, right).into(),
            Operand::Reg(_) => {
                let result = self.b.copy(1);
                let (nonzero, zero, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
                self.b.branch(Cmp::Ne, right, 0, nonzero, zero);
                self.b.switch_to(zero);
                self.warn_division();
                self.b.jump(done);
                self.b.switch_to(nonzero);
                let quotient = self.quotient(op, signed, left, right);
                self.b.assign(result, quotient);
                self.b.jump(done);
                self.b.switch_to(done);
                result.into()
            }
        }
    }

    /// A quotient or remainder by what is not zero.
    pub(super) fn quotient(&mut self, op: Op, signed: bool, left: Operand, right: Operand) -> VReg {
        if !signed {
            return self.b.bin(op, left, right);
        }
        // The machine divides unsigned: divide the magnitudes and put the sign back. A remainder has its dividend's sign.
        let left_magnitude = self.magnitude(left);
        let right_magnitude = self.magnitude(right);
        let result = self.b.bin(op, left_magnitude, right_magnitude);
        let sign = match (op, right) {
            (Op::UMod, _) => left,
            (_, Operand::Imm(value)) if value >= 0 => left,
            _ => self.b.bin(Op::Xor, left, right).into(),
        };
        self.with_sign_of(result, sign)
    }

    fn magnitude(&mut self, value: Operand) -> Operand {
        match value {
            Operand::Imm(value) => Operand::Imm(value.unsigned_abs() as i64),
            Operand::Reg(register) => {
                let mask = self.b.ashr(register, 63);
                let flipped = self.b.bin(Op::Xor, register, mask);
                self.b.sub(flipped, mask).into()
            }
        }
    }

    fn with_sign_of(&mut self, value: VReg, sign: Operand) -> VReg {
        let mask = self.b.ashr(sign, 63);
        let flipped = self.b.bin(Op::Xor, value, mask);
        self.b.sub(flipped, mask)
    }

    /// `helper(args)`
    pub fn call(&mut self, helper: Helper, args: &[Operand]) -> Operand {
        self.b.call(helper, args).into()
    }
}
