//! Parts of structs and arrays that are in the program's own memory.
//!
//! Members lie as C says: exactly as long as their types, whatever follows them.

use super::Lowerer;
use super::memory::{Fill, Place};
use crate::hir::Expr;
use crate::ir::{Cmp, Operand, VReg};
use crate::types::{Space, Ty};

/// The smallest value that is kept in scratch, where an index may be any number.
const IN_SCRATCH: u32 = 136;

impl Lowerer<'_> {
    /// A scalar member.
    pub(super) fn part_scalar(&mut self, base: &Expr, offset: u32, bits: Option<(u8, u8)>, ty: &Ty) -> VReg {
        let from = self.place(base).at(offset);
        let size = ty.layout().size;
        let value = if from.offset.unsigned_abs().is_multiple_of(size.max(1)) {
            self.load(from, ty)
        } else {
            // Packed: the verifier wants the stack to be read in its own steps.
            let place = self.temp(8);
            self.copy(from, place, size);
            self.load(place, ty)
        };
        match bits {
            Some(bits) => self.bit_field(value, bits),
            None => value,
        }
    }

    /// Writes a member that a register does not hold.
    pub(super) fn write_part(&mut self, base: &Expr, offset: u32, own: &Ty, to: Place, ty: &Ty, fill: Fill) {
        let from = self.place(base).at(offset);
        let size = own.size_in_c();
        if let Ty::Str { .. } = ty {
            let address = self.address(from);
            self.read_characters(to, size, Operand::Reg(address), Space::Kernel, fill);
            self.end_text(to, size, ty, fill);
            return self.pad(to, size.next_multiple_of(8), ty.layout().size, fill);
        }
        self.copy(from, to, size);
        self.pad(to, size, ty.layout().size, Fill::Zeros);
    }

    /// A scalar element at an index that is known only when the program runs; 0 outside of the array.
    pub(super) fn element_at(&mut self, base: &Expr, index: &Expr, ty: &Ty) -> VReg {
        let value = self.b.copy(0);
        let outside = self.b.new_block();
        let address = self.bounded_element(base, index, ty, outside);
        let loaded = self.load(address.into(), ty);
        self.b.assign(value, loaded);
        self.b.jump(outside);
        self.b.switch_to(outside);
        value
    }

    /// The address of any element at such an index; of the first outside of the array.
    pub(super) fn element_address(&mut self, base: &Expr, index: &Expr, ty: &Ty) -> VReg {
        let (number, len) = (self.register(index), i64::from(length(&base.ty)));
        let number = self.b.copy(number);
        let inside = self.b.new_block();
        self.b.branch_if(Cmp::ULt, number, len, inside);
        self.b.assign(number, 0);
        self.b.jump(inside);
        self.b.switch_to(inside);
        self.element_from(base, number, ty)
    }

    fn bounded_element(&mut self, base: &Expr, index: &Expr, ty: &Ty, outside: crate::ir::BlockId) -> VReg {
        let number = self.register(index);
        self.b.branch_if(Cmp::UGe, number, i64::from(length(&base.ty)), outside);
        self.element_from(base, number, ty)
    }

    fn element_from(&mut self, base: &Expr, number: VReg, ty: &Ty) -> VReg {
        let size = base.ty.layout().size;
        let held = self.temp(size.max(IN_SCRATCH));
        self.write(base, held, &base.ty, Fill::Zeros);
        let distance = self.b.mul(number, i64::from(ty.size_in_c()));
        let start = self.address(held);
        self.b.add(start, distance)
    }

    /// The bits of a bit-field out of the integer they are in.
    pub(super) fn bit_field(&mut self, value: VReg, (first, count): (u8, u8)) -> VReg {
        let (first, count) = (i64::from(first), i64::from(count.clamp(1, 64)));
        let raised = self.b.shl(value, (64 - first - count).clamp(0, 63));
        self.b.lshr(raised, 64 - count)
    }
}

/// How many elements there are.
fn length(ty: &Ty) -> u32 {
    match ty {
        Ty::Array { len, .. } => *len,
        Ty::Str { size } => *size,
        _ => 0,
    }
}
