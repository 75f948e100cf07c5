//! The numbers of the stacks that were met, by the hashes of their return addresses.

use bpf::helper::Helper;
use report::schema::StackMapId;

use super::step::Walk;
use super::{KIND, Kind, MOST_STEPS, SP_OFFSET};
use crate::ir::{BlockId, Cmp, Operand, VReg, Width};
use crate::lower::{Lowerer, Place};
use crate::orc::Orc;

/// Bytes of the largest kernel stack.
const STACK: i64 = 1 << 14;
/// Bytes of the kernel's own account of a stack: the program, and a function more than are followed, so that a longer stack differs.
const FRAMES: u32 = (MOST_STEPS + 2) * 8;
/// Where in that account the function is that called the program, and its caller.
const TRACER: i32 = 8;
const SITE: i32 = 16;
/// Bytes of the tracer's frame that its return address is looked for in, from the context on.
const WINDOW: u32 = 256;
/// Where a start has the return address in the tracer, 0 until it is learnt, and where on the stack that would be, counted from
/// the context.
const START_ADDRESS: i32 = 0;
const START_OFFSET: i32 = 8;
/// The number of a stack that the program walks in another way than the kernel.
const NOT_ALIKE: i64 = -1;
/// `BPF_ANY`
const ANY: i64 = 0;

impl Lowerer<'_> {
    /// The number of the stack at hand, or a negative error; `ask` has the kernel find it.
    pub fn known_stack(&mut self, orc: &Orc, id: StackMapId, ask: impl FnOnce(&mut Self) -> Operand) -> Operand {
        let map = self.resources.known_stacks(id);
        let start = self.resources.unwind_start();
        let start = self.b.map_value_addr(start.0, start.1);
        let (number, hash) = (self.b.copy(0), self.b.copy(0));
        let (key, frames) = (self.temp(8), self.temp(FRAMES));
        let [unknown, asked, walked, found, strange, learn, done] = [(); 7].map(|()| self.b.new_block());

        let tracer = self.b.load(start, START_ADDRESS, Width::B8, false);
        self.b.branch_if(Cmp::Eq, tracer, 0, unknown);
        let (context, end) = self.stack_bounds(frames, unknown);
        let offset = self.b.load(start, START_OFFSET, Width::B8, false);
        let slot = self.b.add(context, offset);
        let (slot, address) = (self.b.copy(slot), self.b.copy(tracer));
        self.walk_stack(orc, &Walk { slot, address, end, hash }, unknown);
        self.b.store(key.base, key.offset, Width::B8, hash);
        let at = self.address(key);
        let known = self.lookup(map, at);
        self.b.branch(Cmp::Ne, known, 0, found, asked);
        self.b.switch_to(found);
        let kept = self.b.load(known, 0, Width::B4, true);
        self.b.assign(number, kept);
        self.b.branch(Cmp::SGe, number, 0, done, strange);
        self.b.switch_to(strange);
        self.b.jump(unknown);

        self.b.switch_to(unknown);
        self.b.assign(hash, 0);
        self.b.jump(asked);
        self.b.switch_to(asked);
        let given = ask(self);
        self.b.assign(number, given);
        self.b.branch_if(Cmp::SLt, number, 0, done);
        self.b.branch_if(Cmp::Ne, hash, 0, walked);
        let tracer = self.b.load(start, START_ADDRESS, Width::B8, false);
        self.b.branch(Cmp::Eq, tracer, 0, learn, done);
        self.b.switch_to(learn);
        self.learn_start(orc, start, frames, key, done);
        self.b.switch_to(walked);
        self.keep_stack(map, key, frames, hash, number);
        self.b.jump(done);
        self.b.switch_to(done);
        number.into()
    }

    /// The context's address and the stack's end, as numbers; to `unknown` where the context is not on the current task's stack.
    fn stack_bounds(&mut self, room: Place, unknown: BlockId) -> (VReg, VReg) {
        let task = self.b.call(Helper::GetCurrentTaskBtf, &[]);
        let registers = self.b.call(Helper::TaskPtRegs, &[task.into()]);
        let context = self.b.context();
        // Read back from a map's value, an address is a number to the verifier.
        let [context, end] = [(0, context), (8, registers)].map(|(at, address)| {
            self.b.store(room.base, room.offset + at, Width::B8, address);
            self.b.load(room.base, room.offset + at, Width::B8, false)
        });
        let bytes = self.b.sub(end, context);
        self.b.branch_if(Cmp::UGt, bytes, STACK, unknown);
        (context, end)
    }

    /// Keeps the number of a stack if the kernel found the return addresses that the program did.
    fn keep_stack(&mut self, map: crate::ir::MapRef, key: Place, frames: Place, hash: VReg, number: VReg) {
        let bytes = self.kernel_frames(frames);
        let expected = self.b.copy(0);
        let [turn, more, end, differs, keep] = [(); 5].map(|()| self.b.new_block());
        let at = self.b.copy(i64::from(TRACER));
        self.b.jump(turn);
        self.b.switch_to(turn);
        self.b.branch_if(Cmp::SGe, at, bytes, end);
        self.b.branch(Cmp::UGe, at, i64::from(FRAMES), end, more);
        self.b.switch_to(more);
        let base = self.address(frames);
        let place = self.b.add(base, at);
        let address = self.b.load(place, 0, Width::B8, false);
        self.mix(expected, address);
        let next = self.b.add(at, 8);
        self.b.assign(at, next);
        self.b.jump(turn);

        self.b.switch_to(end);
        self.b.branch(Cmp::Eq, expected, hash, keep, differs);
        self.b.switch_to(differs);
        let kept = self.temp(4);
        self.b.store(kept.base, kept.offset, Width::B4, NOT_ALIKE);
        let stored = self.b.new_block();
        self.b.jump(stored);
        self.b.switch_to(keep);
        self.b.store(kept.base, kept.offset, Width::B4, number);
        self.b.jump(stored);
        self.b.switch_to(stored);
        let (map, key, kept) = (self.b.map_addr(map), self.address(key), self.address(kept));
        self.b.call_void(Helper::MapUpdateElem, &[map.into(), key.into(), kept.into(), Operand::Imm(ANY)]);
    }

    /// Learns where walks start: what the tracer's return address is, and where; goes to `done`.
    fn learn_start(&mut self, orc: &Orc, start: VReg, frames: Place, key: Place, done: BlockId) {
        let bytes = self.kernel_frames(frames);
        self.b.branch_if(Cmp::SLe, bytes, i64::from(SITE), done);
        let [tracer, site] = [TRACER, SITE].map(|at| self.b.load(frames.base, frames.offset + at, Width::B8, false));
        self.b.store(key.base, key.offset, Width::B8, tracer);
        let rule = self.rule(key);
        let [missing, known, turn, more, next, here] = [(); 6].map(|()| self.b.new_block());
        self.b.branch(Cmp::Eq, rule, 0, missing, known);
        self.b.switch_to(missing);
        self.learn_rule(orc, key);
        self.b.jump(done);

        self.b.switch_to(known);
        let kind = self.b.load(rule, KIND, Width::B1, false);
        let sp_offset = self.b.load(rule, SP_OFFSET, Width::B2, true);
        self.b.branch_if(Cmp::Ne, kind, Kind::BySp as i64, done);
        let context = self.b.context();
        self.read_bytes(frames, WINDOW, context.into(), crate::types::Space::Kernel);
        let at = self.b.copy(8);
        self.b.jump(turn);
        self.b.switch_to(turn);
        self.b.branch(Cmp::UGe, at, i64::from(WINDOW), done, more);
        self.b.switch_to(more);
        let base = self.address(frames);
        let place = self.b.add(base, at);
        let word = self.b.load(place, 0, Width::B8, false);
        self.b.branch(Cmp::Eq, word, site, here, next);
        self.b.switch_to(next);
        let after = self.b.add(at, 8);
        self.b.assign(at, after);
        self.b.jump(turn);

        self.b.switch_to(here);
        let offset = self.b.sub(at, sp_offset);
        self.b.store(start, START_OFFSET, Width::B8, offset);
        self.b.store(start, START_ADDRESS, Width::B8, tracer);
        self.b.jump(done);
    }

    /// The kernel's own account of the stack; its bytes, or a negative error.
    fn kernel_frames(&mut self, to: Place) -> VReg {
        let (context, to) = (self.b.context(), self.address(to));
        self.b.call(Helper::GetStack, &[context.into(), to.into(), Operand::Imm(i64::from(FRAMES)), Operand::Imm(0)])
    }
}
