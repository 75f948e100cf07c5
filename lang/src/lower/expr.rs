//! Values that registers hold.

use super::Lowerer;
use super::storage::Storage;
use crate::ast::BinaryOp;
use crate::hir::{Expr, ExprKind, Intrinsic, Lower};
use crate::ir::{Base, BlockId, Cmp, Operand, VReg, Width};
use crate::types::Ty;

impl Lowerer<'_> {
    /// The value of a scalar expression, extended to 64 bits by its type.
    pub fn scalar(&mut self, e: &Expr) -> Operand {
        let span = self.b.set_span(e.span);
        let value = self.scalar_of(e);
        self.b.set_span(span);
        value
    }

    /// The value in a register.
    pub fn register(&mut self, e: &Expr) -> VReg {
        match self.scalar(e) {
            Operand::Reg(register) => register,
            constant => self.b.copy(constant),
        }
    }

    fn scalar_of(&mut self, e: &Expr) -> Operand {
        match &e.kind {
            ExprKind::Int(value) => Operand::Imm(*value),
            ExprKind::Poison | ExprKind::Str(_) | ExprKind::Tuple(_) | ExprKind::Aggregate(_) => Operand::Imm(0),
            ExprKind::Var(var) => match self.variable(*var) {
                Storage::Register(register) => self.b.copy(register).into(),
                Storage::Memory(place) => self.load(place, &e.ty).into(),
            },
            ExprKind::Map { map, key } => self.map_scalar(*map, key.as_deref(), &e.ty),
            ExprKind::Binary { op, signed, left, right } => {
                let (left, right) = (self.scalar(left), self.scalar(right));
                self.binary(*op, *signed, left, right)
            }
            ExprKind::Compare { op, signed, left, right } => {
                let (left, right) = (self.scalar(left), self.scalar(right));
                self.b.set(comparison(*op, *signed), left, right).into()
            }
            ExprKind::Not(operand) => {
                let operand = self.scalar(operand);
                self.b.set(Cmp::Eq, operand, 0).into()
            }
            ExprKind::Same { .. } | ExprKind::Logical { .. } => self.truth(e).into(),
            ExprKind::Neg(operand) => {
                let operand = self.scalar(operand);
                self.negate(operand)
            }
            ExprKind::BitNot(operand) => {
                let operand = self.scalar(operand);
                self.b.bin(crate::ir::Op::Xor, operand, -1).into()
            }
            ExprKind::Ternary { condition, then, otherwise } => self.choose(condition, then, otherwise, &e.ty).into(),
            ExprKind::Cast(operand) if !operand.ty.is_scalar() => {
                let place = self.place(operand);
                self.load(place, &e.ty).into()
            }
            ExprKind::Cast(operand) => self.scalar_as(operand, &e.ty),
            ExprKind::Part { base, offset, bits } => self.part_scalar(base, *offset, *bits, &e.ty).into(),
            ExprKind::AddressOf(var) => self.variable_address(*var),
            ExprKind::Component { .. } => {
                let place = self.place(e);
                self.load(place, &e.ty).into()
            }
            ExprKind::Element { base, index } if index.constant().is_none() => {
                self.element_at(base, index, &e.ty).into()
            }
            ExprKind::Element { .. } => {
                let place = self.place(e);
                self.load(place, &e.ty).into()
            }
            ExprKind::Step { target, delta, before } => self.step(target, *delta, *before),
            ExprKind::Memory { address, offset, space, bits } => {
                let address = self.address_at(address, *offset);
                self.read_scalar(address, &e.ty, *space, *bits).into()
            }
            ExprKind::Context { offset } => {
                let context = self.b.context();
                let width = Width::from_bytes(e.ty.layout().size).unwrap_or(Width::B8);
                self.b.load(Base::Reg(context), *offset, width, e.ty.is_signed()).into()
            }
            ExprKind::Block { stmts, value } => {
                for stmt in stmts {
                    self.stmt(stmt);
                }
                self.scalar(value)
            }
            ExprKind::Intrinsic(Intrinsic { lower, .. }) => match lower {
                Lower::Scalar(lower) => lower(self),
                Lower::Effect(lower) => {
                    lower(self);
                    Operand::Imm(0)
                }
                Lower::Memory(_) => {
                    let place = self.place(e);
                    self.address(place).into()
                }
            },
        }
    }

    /// The value as one of another scalar type: cut and extended.
    pub fn scalar_as(&mut self, e: &Expr, ty: &Ty) -> Operand {
        let value = self.scalar(e);
        self.operand_as(value, &e.ty, ty)
    }

    /// A value of one scalar type as one of another.
    pub(super) fn operand_as(&mut self, value: Operand, from: &Ty, ty: &Ty) -> Operand {
        match ty {
            Ty::Bool if *from != Ty::Bool => self.b.set(Cmp::Ne, value, 0).into(),
            Ty::Int { bytes, signed } if !holds(from, *bytes, *signed) => {
                let width = Width::from_bytes(u32::from(*bytes)).unwrap_or(Width::B8);
                self.b.extend(value, width, *signed).into()
            }
            _ => value,
        }
    }

    fn choose(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr, ty: &Ty) -> VReg {
        let result = self.b.vreg();
        let (yes, no, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.branch(condition, yes, no);
        self.b.switch_to(yes);
        let value = self.scalar_as(then, ty);
        self.b.assign(result, value);
        self.b.jump(done);
        self.b.switch_to(no);
        let value = self.scalar_as(otherwise, ty);
        self.b.assign(result, value);
        self.b.jump(done);
        self.b.switch_to(done);
        result
    }

    /// A condition as 0 or 1.
    fn truth(&mut self, e: &Expr) -> VReg {
        self.one_or_zero(|lowerer, yes, no| lowerer.branch(e, yes, no))
    }

    /// 1 where `branch` goes to the first of its blocks, 0 where it goes to the second.
    pub fn one_or_zero(&mut self, branch: impl FnOnce(&mut Self, BlockId, BlockId)) -> VReg {
        let result = self.b.vreg();
        let (yes, no, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        branch(self, yes, no);
        self.b.switch_to(yes);
        self.b.assign(result, 1);
        self.b.jump(done);
        self.b.switch_to(no);
        self.b.assign(result, 0);
        self.b.jump(done);
        self.b.switch_to(done);
        result
    }

    /// The address an access starts from, moved by a constant.
    pub(super) fn address_at(&mut self, address: &Expr, offset: i64) -> Operand {
        let address = self.scalar(address);
        if offset == 0 { address } else { self.b.add(address, offset).into() }
    }
}

/// The machine's comparison for an operator.
pub fn comparison(op: BinaryOp, signed: bool) -> Cmp {
    match (op, signed) {
        (BinaryOp::Ne, _) => Cmp::Ne,
        (BinaryOp::Lt, true) => Cmp::SLt,
        (BinaryOp::Lt, false) => Cmp::ULt,
        (BinaryOp::Le, true) => Cmp::SLe,
        (BinaryOp::Le, false) => Cmp::ULe,
        (BinaryOp::Gt, true) => Cmp::SGt,
        (BinaryOp::Gt, false) => Cmp::UGt,
        (BinaryOp::Ge, true) => Cmp::SGe,
        (BinaryOp::Ge, false) => Cmp::UGe,
        _ => Cmp::Eq,
    }
}

/// Whether a value of type `ty`, extended to 64 bits, is already one of `bytes` and `signed`.
fn holds(ty: &Ty, bytes: u8, signed: bool) -> bool {
    let (have, sign) = match ty {
        Ty::Int { bytes, signed } => (*bytes, *signed),
        Ty::Enum(e) => (e.bytes, e.signed),
        Ty::Bool => (1, false),
        _ => (8, signed),
    };
    bytes == 8 || (have == bytes && sign == signed) || (have < bytes && (signed || !sign))
}
