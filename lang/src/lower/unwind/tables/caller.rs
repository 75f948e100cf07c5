//! From a frame to its caller's, by a rule.

use bpf::helper::Helper;

use super::{BACK, BP, IP, READ, SP};
use crate::ir::{BlockId, Cmp, Operand, VReg, Width};
use crate::lower::Lowerer;
use crate::unwinding::{FRAME_BITS, KIND_BITS, Kind, SAVED_BITS};

/// Where what a signal interrupted has its registers, from the stack pointer its handler returns with: in the kernel's `struct ucontext`.
const SIGNAL_BP: i64 = 120;
const SIGNAL_SP: i64 = 160;
const SIGNAL_IP: i64 = 168;

/// Bytes of an entry of a procedure linkage table.
const LINKAGE_ENTRY: i64 = 16;

impl Lowerer<'_> {
    /// From the frame at hand to its caller's, by a rule.
    pub(super) fn find_caller(&mut self, room: i32, ip: VReg, rule: VReg, (done, next): (BlockId, BlockId)) {
        let scratch = self.scratch_register();
        let kind = self.b.and(rule, (1 << KIND_BITS) - 1);
        let [by_sp, by_bp, behind_bp, behind_sp, linkage, signal, called] = [(); 7].map(|()| self.b.new_block());
        let high = self.b.shl(rule, 32);
        let words = self.b.ashr(high, i64::from(64 - FRAME_BITS));
        let distance = self.b.shl(words, 3);
        let sp = self.b.load(scratch, room + SP, Width::B8, false);
        let bp = self.b.load(scratch, room + BP, Width::B8, false);
        let frame = self.b.vreg();
        let kinds = [
            (Kind::BySp, by_sp),
            (Kind::ByBp, by_bp),
            (Kind::BehindBp, behind_bp),
            (Kind::BehindSp, behind_sp),
            (Kind::Linkage, linkage),
            (Kind::Signal, signal),
        ];
        for (known, block) in kinds {
            self.b.branch_if(Cmp::Eq, kind, known as i64, block);
        }
        self.b.jump(done);

        for (block, register) in [(by_sp, sp), (by_bp, bp)] {
            self.b.switch_to(block);
            let there = self.b.add(register, distance);
            self.b.assign(frame, there);
            self.b.jump(called);
        }
        self.b.switch_to(behind_bp);
        let place = self.b.add(bp, distance);
        let there = self.user_word(room, 0, place, done);
        self.b.assign(frame, there);
        let saved = self.user_word(room, 0, bp, done);
        self.b.store(scratch, room + BP, Width::B8, saved);
        self.b.jump(called);
        self.b.switch_to(behind_sp);
        let place = self.b.add(sp, distance);
        let below = self.user_word(room, 0, place, done);
        let there = self.b.add(below, 8);
        self.b.assign(frame, there);
        self.b.jump(called);
        self.b.switch_to(linkage);
        let within = self.b.and(ip, LINKAGE_ENTRY - 1);
        let from = self.saved_words(rule);
        let pushed = self.b.set(Cmp::UGe, within, from);
        let bytes = self.b.shl(pushed, 3);
        let above = self.b.add(sp, 8);
        let there = self.b.add(above, bytes);
        self.b.assign(frame, there);
        self.b.jump(called);

        self.b.switch_to(called);
        self.return_to(room, rule, sp, frame, done);
        self.b.jump(next);
        self.b.switch_to(signal);
        self.return_from_signal(room, sp, done);
        self.b.jump(next);
    }

    /// Leaves the registers as they were where the function at hand was called, which has its caller's frame at `frame`.
    fn return_to(&mut self, room: i32, rule: VReg, sp: VReg, frame: VReg, done: BlockId) {
        let scratch = self.scratch_register();
        self.b.branch_if(Cmp::ULe, frame, sp, done);
        let place = self.b.sub(frame, 8);
        let address = self.user_word(room, 0, place, done);
        self.b.branch_if(Cmp::Eq, address, 0, done);
        let [saved, go] = [(); 2].map(|()| self.b.new_block());
        let is_saved = self.b.and(rule, 1 << KIND_BITS);
        self.b.branch(Cmp::Ne, is_saved, 0, saved, go);
        self.b.switch_to(saved);
        let words = self.saved_words(rule);
        let bytes = self.b.shl(words, 3);
        let place = self.b.sub(frame, bytes);
        let bp = self.user_word(room, 8, place, done);
        self.b.store(scratch, room + BP, Width::B8, bp);
        self.b.jump(go);
        self.b.switch_to(go);
        for (word, value) in [(IP, Operand::from(address)), (SP, frame.into()), (BACK, 1.into())] {
            self.b.store(scratch, room + word, Width::B8, value);
        }
    }

    fn saved_words(&mut self, rule: VReg) -> VReg {
        let words = self.b.lshr(rule, i64::from(KIND_BITS + 1));
        self.b.and(words, (1 << SAVED_BITS) - 1)
    }

    /// Leaves the registers as they were where a signal interrupted the process. Its handler may have had a stack of its own.
    fn return_from_signal(&mut self, room: i32, sp: VReg, done: BlockId) {
        let scratch = self.scratch_register();
        for (word, at) in [(BP, SIGNAL_BP), (IP, SIGNAL_IP), (SP, SIGNAL_SP)] {
            let place = self.b.add(sp, at);
            let value = self.user_word(room, 0, place, done);
            self.b.store(scratch, room + word, Width::B8, value);
        }
        self.b.store(scratch, room + BACK, Width::B8, 0);
    }

    /// A word of the process's memory, through a word of working memory; to `failed` where it cannot be read.
    fn user_word(&mut self, room: i32, word: i32, address: VReg, failed: BlockId) -> VReg {
        let scratch = self.scratch_register();
        let to = self.b.add(scratch, i64::from(room + READ + word));
        let result = self.b.call(Helper::ProbeReadUser, &[to.into(), Operand::Imm(8), address.into()]);
        self.b.branch_if(Cmp::Ne, result, 0, failed);
        self.b.load(scratch, room + READ + word, Width::B8, false)
    }
}
