//! From an address to its rule: the piece of code it is in, and the last rule before it.

use bpf::helper::Helper;

use super::PIECE;
use crate::ir::{BlockId, Cmp, Operand, VReg, Width};
use crate::lower::Lowerer;
use crate::unwinding::{self, BLOCK_BITS};

/// Halvings that find one of as many pieces of code as a process may have, and one of as many rules as a block may.
const PIECE_HALVINGS: i64 = unwinding::MOST_MAPPED.trailing_zeros() as i64 + 1;
const RULE_HALVINGS: i64 = BLOCK_BITS as i64 + 2;

impl Lowerer<'_> {
    /// Finds the piece of code an address is in, if that is not the one met last; to `unknown` where there is none.
    pub(super) fn find_piece(&mut self, frame: VReg, room: i32, address: VReg, unknown: BlockId) {
        let scratch = self.scratch_register();
        let found = self.b.new_block();
        let search = self.b.new_block();
        let start = self.b.load(scratch, room + PIECE + unwinding::START, Width::B8, false);
        let size = self.b.load(scratch, room + PIECE + unwinding::SIZE, Width::B8, false);
        let within = self.b.sub(address, start);
        self.b.branch(Cmp::ULt, within, size, found, search);

        self.b.switch_to(search);
        let process = self.shared_with_turn(frame);
        let head = self.element_of(process, 0.into(), unknown);
        let count = self.b.load(head, 0, Width::B8, false);
        let low = self.b.copy(1);
        let is_at = |lowerer: &mut Self, middle: VReg, upper: BlockId, lower: BlockId| {
            let piece = lowerer.element_of(process, middle.into(), unknown);
            let start = lowerer.b.load(piece, unwinding::START, Width::B8, false);
            lowerer.b.branch(Cmp::UGe, address, start, upper, lower);
        };
        self.halve(low, count, PIECE_HALVINGS, unknown, is_at);
        let piece = self.element_of(process, low.into(), unknown);
        for word in [unwinding::START, unwinding::SIZE, unwinding::SHIFT, unwinding::FILE] {
            let value = self.b.load(piece, word, Width::B8, false);
            self.b.store(scratch, room + PIECE + word, Width::B8, value);
        }
        let start = self.b.load(piece, unwinding::START, Width::B8, false);
        let size = self.b.load(piece, unwinding::SIZE, Width::B8, false);
        let within = self.b.sub(address, start);
        self.b.branch(Cmp::ULt, within, size, found, unknown);
        self.b.switch_to(found);
    }

    /// The rule of an address, in the file of the piece at hand; to `none` where there is none.
    pub(super) fn find_rule(&mut self, room: i32, address: VReg, none: BlockId) -> VReg {
        let scratch = self.scratch_register();
        let files = self.resources.unwind_tables().files;
        let file = self.b.load(scratch, room + PIECE + unwinding::FILE, Width::B8, false);
        let key = self.temp(4);
        self.b.store(key.base, key.offset, Width::B4, file);
        let at = self.address(key);
        let rules = self.lookup(files, at);
        self.b.branch_if(Cmp::Eq, rules, 0, none);
        let shift = self.b.load(scratch, room + PIECE + unwinding::SHIFT, Width::B8, false);
        let offset = self.b.sub(address, shift);
        let block = self.b.lshr(offset, i64::from(BLOCK_BITS));
        let word = self.element_of(rules, block.into(), none);
        let word = self.b.load(word, 0, Width::B8, false);
        let low = self.b.extend(word, Width::B4, false);
        let low = self.b.copy(low);
        let count = self.b.lshr(word, 32);
        let is_at = |lowerer: &mut Self, middle: VReg, upper: BlockId, lower: BlockId| {
            let rule = lowerer.element_of(rules, middle.into(), none);
            let start = lowerer.b.load(rule, 0, Width::B4, false);
            lowerer.b.branch(Cmp::UGe, offset, start, upper, lower);
        };
        self.halve(low, count, RULE_HALVINGS, none, is_at);
        let rule = self.element_of(rules, low.into(), none);
        let rule = self.b.load(rule, 0, Width::B8, false);
        let start = self.b.extend(rule, Width::B4, false);
        self.b.branch_if(Cmp::ULt, offset, start, none);
        self.b.lshr(rule, 32)
    }

    /// Leaves in `low` the last of `count` elements from there on that `is_at` goes to its first block for; to `none` where there are none,
    /// or more than so many halvings find.
    fn halve(
        &mut self,
        low: VReg,
        count: VReg,
        most: i64,
        none: BlockId,
        is_at: impl FnOnce(&mut Self, VReg, BlockId, BlockId),
    ) {
        let [test, half_of, upper, lower, next, found] = [(); 6].map(|()| self.b.new_block());
        let (count, turns) = (self.b.copy(count), self.b.copy(0));
        self.b.branch(Cmp::Eq, count, 0, none, test);
        self.b.switch_to(test);
        let half = self.b.lshr(count, 1);
        self.b.branch(Cmp::Eq, half, 0, found, half_of);
        self.b.switch_to(half_of);
        let middle = self.b.add(low, half);
        is_at(self, middle, upper, lower);
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
        self.b.branch(Cmp::ULt, turns, most, test, none);
        self.b.switch_to(found);
    }

    /// An element of an array that was found in a map; to `missing` where it has none of this number.
    fn element_of(&mut self, array: VReg, index: Operand, missing: BlockId) -> VReg {
        let mark = self.temp_mark();
        let key = self.temp(4);
        self.b.store(key.base, key.offset, Width::B4, index);
        let at = self.address(key);
        let element = self.b.call(Helper::MapLookupElem, &[array.into(), at.into()]);
        self.release_temps(mark);
        self.b.branch_if(Cmp::Eq, element, 0, missing);
        element
    }
}
