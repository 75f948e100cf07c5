//! From a function on the stack to its caller, until there is none.

use super::rule::{Kind, Part};
use crate::ir::{BlockId, Cmp, VReg};
use crate::lower::Lowerer;
use crate::orc::Orc;

/// Where a walk is.
pub(super) struct Walk {
    /// Where the return address is on the stack.
    pub slot: VReg,
    /// The return address.
    pub address: VReg,
    /// Where the stack ends: the registers that user space left.
    pub end: VReg,
    /// Where the frame pointer was saved; 0 where that is not known.
    pub saved: VReg,
    /// The hash of the return addresses so far.
    pub hash: VReg,
}

impl Lowerer<'_> {
    /// Walks to the end of the stack, or `most` return addresses; where that cannot be found, to `unknown`.
    pub(super) fn walk_stack(&mut self, orc: &Orc, walk: &Walk, most: u32, unknown: BlockId) {
        let Walk { slot, address, end, saved, hash } = *walk;
        let word = self.temp(8);
        // Where the caller's return address is, and how many turns there were.
        let (next, turns) = (self.b.vreg(), self.b.copy(0));
        let [turn, missing, known, by_sp, other, by_bp, last, step, saves, go, done] =
            [(); 11].map(|()| self.b.new_block());
        self.b.jump(turn);

        self.b.switch_to(turn);
        let rule = self.rule(address, missing);
        self.b.jump(known);
        self.b.switch_to(missing);
        self.learn_rule(orc, address);
        self.b.jump(unknown);

        self.b.switch_to(known);
        self.mix(hash, address);
        let kind = self.rule_part(rule, Part::Kind);
        let sp_offset = self.rule_part(rule, Part::SpOffset);
        self.b.branch(Cmp::Eq, kind, Kind::BySp as i64, by_sp, other);
        self.b.switch_to(by_sp);
        let above = self.b.add(slot, sp_offset);
        self.b.assign(next, above);
        self.b.jump(step);

        self.b.switch_to(other);
        self.b.branch(Cmp::Eq, kind, Kind::ByBp as i64, by_bp, last);
        self.b.switch_to(by_bp);
        self.b.branch_if(Cmp::Eq, saved, 0, unknown);
        let frame = self.kernel_word(word, saved);
        let behind = self.b.add(frame, sp_offset);
        let above = self.b.sub(behind, 8);
        self.b.assign(next, above);
        self.b.jump(step);

        self.b.switch_to(last);
        self.b.branch_if(Cmp::Eq, kind, Kind::End as i64, done);
        self.b.branch_if(Cmp::Ne, kind, Kind::Registers as i64, unknown);
        let behind = self.b.add(slot, sp_offset);
        let registers = self.b.add(behind, 8);
        self.b.branch(Cmp::Eq, registers, end, done, unknown);

        self.b.switch_to(step);
        self.b.branch_if(Cmp::ULe, next, slot, unknown);
        self.b.branch_if(Cmp::UGe, next, end, unknown);
        let is_saved = self.rule_part(rule, Part::Saves);
        self.b.branch(Cmp::Ne, is_saved, 0, saves, go);
        self.b.switch_to(saves);
        let bp_offset = self.rule_part(rule, Part::BpOffset);
        let behind = self.b.add(next, 8);
        let at = self.b.add(behind, bp_offset);
        self.b.assign(saved, at);
        self.b.jump(go);
        self.b.switch_to(go);
        self.b.assign(slot, next);
        let caller = self.kernel_word(word, slot);
        self.b.assign(address, caller);
        let after = self.b.add(turns, 1);
        self.b.assign(turns, after);
        let (most, after_all) = Self::bound(most, done, unknown);
        self.b.branch(Cmp::ULt, turns, most, turn, after_all);
        self.b.switch_to(done);
    }
}
