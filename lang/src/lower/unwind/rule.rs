//! What the kernel's tables say of a return address, found once and kept.
//!
//! The rules that were found are words of one array: the low half is that of the return address, for all code of the kernel is in the
//! uppermost 2 GiB; the high half says how the caller's frame is found. A word is written and read as one, so that other processors
//! never see a rule that is not its address's. An address has two words that it may be in, and where both are taken, puts another out.

use super::SPREAD;
use crate::ir::{BlockId, Cmp, Op, Operand, VReg, Width};
use crate::lower::{Lowerer, Place};
use crate::orc::{self, Bits, End, Orc};
use crate::types::Space;

/// Halvings of the tables, more than they can need.
const MOST_HALVINGS: i64 = 32;
/// Bytes of the array: two words each for 8,192 addresses.
pub const RULES: u32 = 1 << 17;
/// Where in the array an address's two words are: some bits of the product with [`SPREAD`].
const PAIR: i64 = RULES as i64 - 16;
const PAIR_SHIFT: i64 = 28;
/// The bit of that product which chooses the word to put out, as bytes.
const PUT_OUT_SHIFT: i64 = 57;
const WORD: i64 = 8;

/// How a caller's frame is found.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Nothing is known.
    Unknown,
    /// The caller's frame is a distance from the stack pointer.
    BySp,
    /// It is a distance from the frame pointer.
    ByBp,
    /// The registers of what was interrupted follow.
    Registers,
    /// There is no caller, or it cannot be found.
    End,
}

/// A part of a rule's word.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// The [`Kind`].
    Kind,
    /// Whether the frame pointer was saved, and where: bytes from the caller's stack pointer, a multiple of 8.
    Saves,
    BpOffset,
    /// How far the caller's frame is: bytes, a multiple of 8.
    SpOffset,
}

impl Part {
    const fn bits(self) -> Bits {
        match self {
            Part::Kind => Bits { first: 32, count: 3 },
            Part::Saves => Bits { first: 35, count: 1 },
            Part::BpOffset => Bits { first: 36, count: 14 },
            Part::SpOffset => Bits { first: 50, count: 14 },
        }
    }

    /// Whether it is a distance: signed, and counted in words.
    const fn is_distance(self) -> bool {
        matches!(self, Part::BpOffset | Part::SpOffset)
    }
}

impl Lowerer<'_> {
    /// The rule of a return address; to `missing` where it has not been found yet.
    pub(super) fn rule(&mut self, address: VReg, missing: BlockId) -> VReg {
        let (pair, _) = self.pair(address);
        let sought = self.b.extend(address, Width::B4, false);
        let rule = self.b.vreg();
        let [other, found] = [(); 2].map(|()| self.b.new_block());
        for (at, otherwise) in [(0, other), (WORD as i32, missing)] {
            let word = self.b.load(pair, at, Width::B8, false);
            self.b.assign(rule, word);
            let low = self.b.extend(word, Width::B4, false);
            self.b.branch(Cmp::Eq, low, sought, found, otherwise);
            self.b.switch_to(otherwise);
        }
        self.b.switch_to(found);
        rule
    }

    /// A part of a rule: a number, or bytes.
    pub(super) fn rule_part(&mut self, rule: VReg, part: Part) -> VReg {
        if !part.is_distance() {
            return self.bits(rule, part.bits());
        }
        let words = self.signed_bits(rule, part.bits());
        self.b.shl(words, 3)
    }

    /// Where an address's two words are, and its product with [`SPREAD`].
    fn pair(&mut self, address: VReg) -> (VReg, VReg) {
        let rules = self.resources.unwind_rules();
        let base = self.b.map_value_addr(rules, 0);
        let product = self.b.mul(address, SPREAD);
        let shifted = self.b.lshr(product, PAIR_SHIFT);
        let offset = self.b.and(shifted, PAIR);
        (self.b.add(base, offset), product)
    }

    /// Finds the rule of a return address and keeps it. Addresses in front of the tables have none.
    pub(super) fn learn_rule(&mut self, orc: &Orc, returned_to: VReg) {
        let [test, halve, upper, lower, next, found, done] = [(); 7].map(|()| self.b.new_block());
        // An entry is about the call, which is in front of where it returns to.
        let address = self.b.sub(returned_to, 1);
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
        self.keep_rule(orc, entry, returned_to);
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

    /// Keeps what an entry says.
    fn keep_rule(&mut self, orc: &Orc, entry: VReg, returned_to: VReg) {
        let shape = orc.entry;
        let kind = self.kind(orc, entry);
        let bp_register = self.bits(entry, shape.bp_register);
        let saves = self.b.set(Cmp::Eq, bp_register, orc::PREVIOUS_SP);
        let [sp, bp] = [shape.sp_offset, shape.bp_offset].map(|bits| self.signed_bits(entry, bits));
        let rule = self.b.extend(returned_to, Width::B4, false);
        let rule = self.b.copy(rule);
        for (part, value) in [(Part::Kind, kind), (Part::Saves, saves), (Part::BpOffset, bp), (Part::SpOffset, sp)] {
            let Bits { first, count } = part.bits();
            let value = if part.is_distance() { self.b.ashr(value, 3) } else { value };
            let low = self.b.and(value, (1 << count) - 1);
            let placed = self.b.shl(low, i64::from(first));
            let with = self.b.or(rule, placed);
            self.b.assign(rule, with);
        }
        let (pair, product) = self.pair(returned_to);
        let put_out = self.b.lshr(product, PUT_OUT_SHIFT);
        let at = self.b.and(put_out, WORD);
        let place = self.b.add(pair, at);
        self.b.store(place, 0, Width::B8, rule);
    }

    /// Which [`Kind`] of frame an entry is about.
    fn kind(&mut self, orc: &Orc, entry: VReg) -> VReg {
        let kinds = orc.entry.kinds;
        let result = self.b.copy(Kind::Unknown as i64);
        let [called, by_sp, by_bp, registers, end, done] = [(); 6].map(|()| self.b.new_block());
        let kind = self.bits(entry, orc.entry.kind);
        let sp_register = self.bits(entry, orc.entry.sp_register);
        let bp_register = self.bits(entry, orc.entry.bp_register);
        // The kernel's unwinder goes no further either.
        self.b.branch_if(Cmp::Eq, sp_register, orc::UNDEFINED, end);
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
        // Distances are kept in words.
        let [sp, bp] = [orc.entry.sp_offset, orc.entry.bp_offset].map(|bits| self.signed_bits(entry, bits));
        let both = self.b.or(sp, bp);
        let rest = self.b.and(both, WORD - 1);
        self.b.branch_if(Cmp::Ne, rest, 0, done);
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
