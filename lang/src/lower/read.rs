//! Reading memory that is not the program's own: the kernel's and the current process's.
//!
//! Where it is not known whose an address is, its sign tells: kernel addresses have the highest bit set on every 64-bit
//! architecture supported. What cannot be read reads as zeros or as an empty string.

use bpf::helper::Helper;

use super::Lowerer;
use super::memory::{Fill, Place};
use crate::ir::{Cmp, Operand, VReg, Width};
use crate::types::{Space, Ty};

impl Lowerer<'_> {
    /// Reads a C string of at most `size` bytes, its NUL included.
    pub fn read_string(&mut self, to: Place, size: u32, address: Operand, space: Space, fill: Fill) {
        if fill == Fill::Zeros {
            self.zero(to, size.next_multiple_of(8));
        }
        let to = self.address(to);
        let size = Operand::Imm(i64::from(size));
        self.read_with(Helper::ProbeReadKernelStr, Helper::ProbeReadUserStr, to, size, address, space);
    }

    /// Reads a C string of at most `length` bytes, its NUL included, and never more than `most`; zeros follow it.
    pub fn read_string_of(&mut self, to: Place, length: Operand, most: u32, address: Operand, space: Space) {
        self.zero(to, most.next_multiple_of(8));
        let length = self.b.copy(length);
        let fits = self.b.new_block();
        self.b.branch_if(Cmp::ULe, length, i64::from(most), fits);
        self.b.assign(length, i64::from(most));
        self.b.jump(fits);
        self.b.switch_to(fits);
        let to = self.address(to);
        self.read_with(Helper::ProbeReadKernelStr, Helper::ProbeReadUserStr, to, length.into(), address, space);
    }

    /// Reads an array of `size` characters, which need not end with a NUL.
    pub fn read_characters(&mut self, to: Place, size: u32, address: Operand, space: Space, fill: Fill) {
        if fill == Fill::Any || size < 2 {
            return self.read_bytes(to, size, address, space);
        }
        // The helper puts a NUL in the place of the last character.
        self.read_string(to, size, address, space, fill);
        let (filled, done) = (self.b.new_block(), self.b.new_block());
        let before = self.b.load(to.base, to.at(size - 2).offset, Width::B1, false);
        self.b.branch(Cmp::Ne, before, 0, filled, done);
        self.b.switch_to(filled);
        let last = self.b.add(address, i64::from(size - 1));
        self.read_bytes(to.at(size - 1), 1, last.into(), space);
        self.b.jump(done);
        self.b.switch_to(done);
    }

    /// Reads `size` bytes.
    pub fn read_bytes(&mut self, to: Place, size: u32, address: Operand, space: Space) {
        self.read_counted(to, Operand::Imm(i64::from(size)), address, space);
    }

    /// Reads as many bytes as `size` says, which must be bounded where the verifier sees it.
    pub fn read_counted(&mut self, to: Place, size: Operand, address: Operand, space: Space) {
        let to = self.address(to);
        self.read_with(Helper::ProbeReadKernel, Helper::ProbeReadUser, to, size, address, space);
    }

    /// Reads a scalar of type `ty`; for a bit-field its first bit and how many.
    pub fn read_scalar(&mut self, address: Operand, ty: &Ty, space: Space, bits: Option<(u8, u8)>) -> VReg {
        let place = self.temp(8);
        let size = ty.layout().size;
        self.read_bytes(place, size, address, space);
        let value = self.load(place, ty);
        match bits {
            Some(bits) => self.bit_field(value, bits),
            None => value,
        }
    }

    fn read_with(&mut self, kernel: Helper, user: Helper, to: VReg, size: Operand, address: Operand, space: Space) {
        let args = [to.into(), size, address];
        match space {
            Space::Kernel => self.read_by(kernel, &args),
            Space::User => self.read_by(user, &args),
            Space::Any => {
                let (of_kernel, of_user, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
                self.b.branch(Cmp::SLt, address, 0, of_kernel, of_user);
                self.b.switch_to(of_kernel);
                self.read_by(kernel, &args);
                self.b.jump(done);
                self.b.switch_to(of_user);
                self.read_by(user, &args);
                self.b.jump(done);
                self.b.switch_to(done);
            }
        }
    }

    /// Calls a helper that reads; with the user's wish a failure is told.
    fn read_by(&mut self, helper: Helper, args: &[Operand]) {
        if !self.unit.options.helper_errors {
            return self.b.call_void(helper, args);
        }
        let result = self.b.call(helper, args);
        let (failed, done) = (self.b.new_block(), self.b.new_block());
        self.b.branch(Cmp::SLt, result, 0, failed, done);
        self.b.switch_to(failed);
        // Reads fail for one reason.
        self.tell_failure(helper, result.into(), "Bad address");
        self.b.jump(done);
        self.b.switch_to(done);
    }

    /// Writes what lies in the program's context: text or an array of a tracepoint's record.
    pub(super) fn write_context(&mut self, offset: i32, e: &crate::hir::Expr, to: Place, ty: &Ty, fill: Fill) {
        let context = self.b.context();
        let size = e.ty.size_in_c().min(ty.size_in_c());
        let clean = fill == Fill::Any || !matches!(ty, Ty::Str { .. }) || self.unit.target.features.bpf_loop;
        if clean {
            // The kernel fills up names of tasks with NULs since 5.17.
            let from = Place { base: context.into(), offset };
            self.copy_narrow(from, to, size);
        } else {
            let address = self.b.add(context, i64::from(offset));
            self.read_string(to, size, address.into(), Space::Kernel, fill);
        }
        if fill == Fill::Zeros && size < ty.layout().size {
            self.zero(to.at(size), ty.layout().size - size);
        }
    }

    /// Copies by loads and stores: contexts are read in no other way.
    fn copy_narrow(&mut self, from: Place, to: Place, bytes: u32) {
        let mut at = 0;
        while at < bytes {
            let aligned = from.offset.unsigned_abs() + at;
            let width = [Width::B8, Width::B4, Width::B2]
                .into_iter()
                .find(|w| aligned.is_multiple_of(w.bytes()) && at + w.bytes() <= bytes)
                .unwrap_or(Width::B1);
            let to_width = to.offset.unsigned_abs() + at;
            let width = if to_width.is_multiple_of(width.bytes()) { width } else { Width::B1 };
            let word = self.b.load(from.base, from.at(at).offset, width, false);
            self.b.store(to.base, to.at(at).offset, width, word);
            at += width.bytes();
        }
    }
}
