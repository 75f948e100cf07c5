//! What the kernel's tables say of a return address, found once and kept.

use super::{BP_OFFSET, KIND, Kind, SAVES, SP_OFFSET};
use crate::ir::{Cmp, Op, Operand, VReg, Width};
use crate::lower::element::ANY;
use crate::lower::{Lowerer, Place};
use crate::orc::{self, Bits, End, Orc};
use crate::types::Space;

/// Halvings of the tables, more than they can need.
const MOST_HALVINGS: i64 = 32;

impl Lowerer<'_> {
    /// Finds the rule of the return address at `key` and keeps it. Addresses in front of the tables have none.
    pub(super) fn learn_rule(&mut self, orc: &Orc, key: Place) {
        let [test, halve, upper, lower, next, found, done] = [(); 7].map(|()| self.b.new_block());
        let address = self.b.load(key.base, key.offset, Width::B8, false);
        // An entry is about the call, which is in front of where it returns to.
        let address = self.b.sub(address, 1);
        let word = self.temp(8);
        let first = self.start_of(orc, word, 0.into());
        self.b.branch_if(Cmp::ULt, address, first, done);
        let (low, count, turns) = (self.b.copy(0), self.b.copy(orc.count as i64), self.b.copy(0));
        self.b.jump(test);

        self.b.switch_to(test);
        let half = self.b.lshr(count, 1);
        self.b.branch(Cmp::Eq, half, 0, found, halve);
        self.b.switch_to(halve);
        let middle = self.b.add(low, half);
        let start = self.start_of(orc, word, middle.into());
        self.b.branch(Cmp::UGe, address, start, upper, lower);
        self.b.switch_to(upper);
        let rest = self.b.sub(count, half);
        self.b.assign(count, rest);
        self.b.assign(low, middle);
        self.b.jump(next);
        self.b.switch_to(lower);
        self.b.assign(count, half);
        self.b.jump(next);
        self.b.switch_to(next);
        let after = self.b.add(turns, 1);
        self.b.assign(turns, after);
        self.b.branch(Cmp::ULt, turns, MOST_HALVINGS, test, done);

        self.b.switch_to(found);
        self.b.store(word.base, word.offset, Width::B8, 0);
        let offset = self.b.mul(low, i64::from(orc.entry.size));
        let entry = self.b.add(offset, orc.entries as i64);
        self.read_bytes(word, orc.entry.size, entry.into(), Space::Kernel);
        let entry = self.b.load(word.base, word.offset, Width::B8, false);
        self.keep_rule(orc, entry, key, word);
        self.b.jump(done);
        self.b.switch_to(done);
    }

    /// Where the code starts that an entry is about.
    fn start_of(&mut self, orc: &Orc, word: Place, index: Operand) -> VReg {
        let offset = self.b.shl(index, 2);
        let at = self.b.add(offset, orc.addresses as i64);
        self.read_bytes(word, 4, at.into(), Space::Kernel);
        let distance = self.b.load(word.base, word.offset, Width::B4, true);
        self.b.add(at, distance)
    }

    /// Keeps what an entry says, in the form that steps read.
    fn keep_rule(&mut self, orc: &Orc, entry: VReg, key: Place, rule: Place) {
        let shape = orc.entry;
        let kind = self.kind(orc, entry);
        let [sp, bp] = [shape.sp_offset, shape.bp_offset].map(|bits| self.signed_bits(entry, bits));
        let bp_register = self.bits(entry, shape.bp_register);
        let saves = self.b.set(Cmp::Eq, bp_register, orc::PREVIOUS_SP);
        self.b.store(rule.base, rule.offset, Width::B8, 0);
        for (at, width, value) in
            [(KIND, Width::B1, kind), (SAVES, Width::B1, saves), (SP_OFFSET, Width::B2, sp), (BP_OFFSET, Width::B2, bp)]
        {
            self.b.store(rule.base, rule.offset + at, width, value);
        }
        let map = self.resources.unwind_rules();
        let (key, rule) = (self.address(key), self.address(rule));
        self.update(map, key, rule, ANY);
    }

    /// Which [`Kind`] of frame an entry is about.
    fn kind(&mut self, orc: &Orc, entry: VReg) -> VReg {
        let kinds = orc.entry.kinds;
        let result = self.b.copy(Kind::Unknown as i64);
        let [called, by_sp, by_bp, registers, end, done] = [(); 6].map(|()| self.b.new_block());
        let kind = self.bits(entry, orc.entry.kind);
        let sp_register = self.bits(entry, orc.entry.sp_register);
        let bp_register = self.bits(entry, orc.entry.bp_register);
        match kinds.end {
            End::Bit(bit) => {
                let is_end = self.bits(entry, bit);
                self.b.branch_if(Cmp::Ne, is_end, 0, end);
            }
            End::Kind(number) => self.b.branch_if(Cmp::Eq, kind, number, end),
        }
        self.b.branch_if(Cmp::Eq, kind, kinds.call, called);
        self.b.branch_if(Cmp::Ne, kind, kinds.registers, done);
        self.b.branch(Cmp::Eq, sp_register, orc::SP, registers, done);

        self.b.switch_to(called);
        // Where the frame pointer was saved relative to itself is not followed.
        self.b.branch_if(Cmp::UGt, bp_register, orc::PREVIOUS_SP, done);
        self.b.branch_if(Cmp::Eq, sp_register, orc::SP, by_sp);
        self.b.branch(Cmp::Eq, sp_register, orc::BP, by_bp, done);

        for (block, kind) in [(by_sp, Kind::BySp), (by_bp, Kind::ByBp), (registers, Kind::Registers), (end, Kind::End)]
        {
            self.b.switch_to(block);
            self.b.assign(result, kind as i64);
            self.b.jump(done);
        }
        self.b.switch_to(done);
        result
    }

    fn bits(&mut self, entry: VReg, bits: Bits) -> VReg {
        self.shifted(entry, bits, Op::LShr)
    }

    fn signed_bits(&mut self, entry: VReg, bits: Bits) -> VReg {
        self.shifted(entry, bits, Op::AShr)
    }

    fn shifted(&mut self, entry: VReg, bits: Bits, shift: Op) -> VReg {
        let left = self.b.shl(entry, i64::from(64 - bits.first - bits.count));
        self.b.bin(shift, left, i64::from(64 - bits.count))
    }
}
