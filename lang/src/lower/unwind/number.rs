//! The numbers of stacks: hashes of their return addresses, which a program may find by a walk of its own.

use bpf::helper::Helper;
use report::schema::{StackMode, StackType};

use super::start::{SITE, TRACER, WINDOW};
use super::{From, Way};
use crate::builtin::USER;
use crate::ir::{BlockId, Cmp, MapRef, Operand, VReg, Width};
use crate::lower::element::ANY;
use crate::lower::{Lost, Lowerer, Place, stack_bytes};

/// `BPF_F_USER_BUILD_ID`
const BUILD_IDS: i64 = 1 << 11;
/// `EFAULT`, as the kernel says it where there is no stack.
pub(super) const NO_STACK: i64 = -14;
/// In place of the number of a stack that found no place.
pub(super) const LOST: i64 = -1;

impl Way {
    /// Where in the kernel's own account of a stack, in words, the walk starts.
    fn first_frame(self) -> u32 {
        let bytes = match self {
            Self::Kernel { from: From::Tracer, .. } => TRACER,
            Self::Kernel { from: From::Trampoline, .. } => SITE,
            Self::Kernel { from: From::Registers | From::Sample, .. } | Self::Process => 0,
        };
        bytes.unsigned_abs() / 8
    }
}

impl Lowerer<'_> {
    /// The number of the stack at hand, or a negative error.
    pub fn stack_number(&mut self, stack: &StackType, user: bool) -> Operand {
        let (map, size) = (self.resources.stacks(stack), stack_bytes(stack));
        let way = self.unwinding(user).filter(|_| stack.mode != StackMode::BuildId);
        let number = self.b.copy(0);
        let (key, frames) = (self.temp(8), self.temp((size + 8).max(WINDOW)));
        let [asked, lost, kept, done] = [(); 4].map(|()| self.b.new_block());
        let way = way.map(|way| (way, self.memory_of_walks()));
        if let Some((way, memory)) = way {
            if matches!(way, Way::Kernel { from: From::Sample, .. }) {
                self.skip_user_mode(number, done);
            }
            let hash = self.walk(way, memory, frames, size / 8 - way.first_frame(), asked);
            self.find_number(map, hash, number, key, done);
        }
        self.b.jump(asked);

        self.b.switch_to(asked);
        if let Some((_, memory)) = way {
            self.count_asked(memory);
        }
        let user = if user { USER } else { 0 };
        let build_ids = if stack.mode == StackMode::BuildId { BUILD_IDS } else { 0 };
        let (context, to) = (self.b.context(), self.address(frames));
        let args = [context.into(), to.into(), Operand::Imm(size.into()), Operand::Imm(user | build_ids)];
        let bytes = self.b.call(Helper::GetStack, &args);
        self.b.assign(number, bytes);
        self.b.branch_if(Cmp::SLt, bytes, 0, done);
        // What is there from another time must not seem to be a part of it.
        let to = self.address(frames);
        let end = self.b.add(to, bytes);
        self.b.store(end, 0, Width::B8, 0);
        let hash = self.hash_frames(way.map(|(way, _)| way), frames, bytes, size);
        self.find_number(map, hash, number, key, kept);
        let (key, stack) = (self.address(key), self.address(frames));
        let failed = self.update(map, key, stack, ANY);
        self.b.branch(Cmp::Eq, failed, 0, kept, lost);
        self.b.switch_to(lost);
        self.count_lost(Lost::Stack);
        self.b.assign(number, LOST);
        self.b.jump(kept);
        self.b.switch_to(kept);
        if let Some((Way::Kernel { orc, from: from @ (From::Tracer | From::Trampoline) }, memory)) = way {
            self.learn_start(&orc, from, memory, frames, bytes, done);
        }
        self.b.jump(done);
        self.b.switch_to(done);
        number.into()
    }

    /// Where a process's own code was interrupted the kernel has no stack, and need not be asked: its addresses are the upper half's.
    fn skip_user_mode(&mut self, number: VReg, done: BlockId) {
        let (context, registers) = (self.b.context(), self.unit.target.arch.registers());
        let ip = self.b.load(context, registers.ip, Width::B8, false);
        self.b.assign(number, NO_STACK);
        self.b.branch_if(Cmp::SGe, ip, 0, done);
    }

    /// The number that a hash stands for; to `known` where there is such a stack.
    pub(super) fn find_number(&mut self, map: MapRef, hash: VReg, number: VReg, key: Place, known: BlockId) {
        // Negative ones are errors.
        let positive = self.b.lshr(hash, 1);
        self.b.assign(number, positive);
        self.b.store(key.base, key.offset, Width::B8, number);
        let at = self.address(key);
        let found = self.lookup(map, at);
        self.b.branch_if(Cmp::Ne, found, 0, known);
    }

    /// The hash of what the kernel tells, of which `bytes` are there, at most `size`; where there is a way to walk it is about what the walk
    /// is about.
    fn hash_frames(&mut self, way: Option<Way>, frames: Place, bytes: VReg, size: u32) -> VReg {
        let hash = self.b.copy(0);
        let mut first = way.map_or(0, Way::first_frame);
        if matches!(way, Some(Way::Kernel { from: From::Sample, .. })) {
            let interrupted = self.b.load(frames.base, frames.offset, Width::B8, false);
            let behind = self.b.add(interrupted, 1);
            self.mix(hash, behind);
            first = 1;
        }
        let [turn, more, end] = [(); 3].map(|()| self.b.new_block());
        let at = self.b.copy(i64::from(first * 8));
        self.b.jump(turn);
        self.b.switch_to(turn);
        self.b.branch_if(Cmp::SGe, at, bytes, end);
        self.b.branch(Cmp::UGe, at, i64::from(size), end, more);
        self.b.switch_to(more);
        let base = self.address(frames);
        let place = self.b.add(base, at);
        let word = self.b.load(place, 0, Width::B8, false);
        self.mix(hash, word);
        let next = self.b.add(at, 8);
        self.b.assign(at, next);
        self.b.jump(turn);
        self.b.switch_to(end);
        hash
    }
}
