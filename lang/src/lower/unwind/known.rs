//! The numbers of the stacks that were met, by the hashes of their return addresses.

use bpf::helper::Helper;
use report::schema::StackMapId;

use super::rule::{Kind, Part};
use super::step::Walk;
use super::{From, MOST_STEPS, Way};
use crate::builtin::USER;
use crate::ir::{BlockId, Cmp, MapRef, Operand, VReg, Width};
use crate::lower::element::ANY;
use crate::lower::{Lowerer, Place};
use crate::orc::Orc;
use crate::types::Space;

/// Bytes of the largest kernel stack.
const STACK: i64 = 1 << 14;
/// Bytes of the kernel's own account of a stack: the program, and a function more than are followed, so that a longer stack differs.
const FRAMES: u32 = (MOST_STEPS + 2) * 8;
/// Where in that account the function is that called the program, and its caller.
pub(super) const TRACER: i32 = 8;
pub(super) const SITE: i32 = 16;
/// Bytes of the tracer's frame that its return address is looked for in, from the context on.
const WINDOW: u32 = 256;
/// Where a start has the return address in the tracer, 0 until it is learnt, and where on the stack that would be, counted from
/// the context.
const START_ADDRESS: i32 = 0;
const START_OFFSET: i32 = 8;
/// The number of a stack that the program walks in another way than the kernel.
const NOT_ALIKE: i64 = -1;

impl Lowerer<'_> {
    /// The number of the stack at hand, or a negative error; `ask` has the kernel find it.
    pub fn known_stack(&mut self, way: Way, id: StackMapId, ask: impl FnOnce(&mut Self) -> Operand) -> Operand {
        let map = self.resources.known_stacks(id);
        let start = self.start(way);
        let (number, hash) = (self.b.copy(0), self.b.copy(0));
        let (key, frames) = (self.temp(8), self.temp(FRAMES));
        let [unknown, asked, walked, found, done] = [(); 5].map(|()| self.b.new_block());

        match way {
            Way::Kernel { orc, from } => {
                let walk = match (start, from) {
                    (Some(start), _) => self.learnt_walk(from, start, hash, frames, unknown),
                    (None, From::Sample) => self.walk_from_sample(&orc, hash, frames, unknown),
                    (None, _) => self.walk_from_registers(hash, frames, unknown),
                };
                self.walk_stack(&orc, &walk, unknown);
            }
            Way::Process => self.walk_process(hash, unknown),
        }
        self.b.store(key.base, key.offset, Width::B8, hash);
        let at = self.address(key);
        let known = self.lookup(map, at);
        self.b.branch(Cmp::Ne, known, 0, found, asked);
        self.b.switch_to(found);
        let kept = self.b.load(known, 0, Width::B4, true);
        self.b.assign(number, kept);
        self.b.branch(Cmp::SGe, number, 0, done, unknown);

        self.b.switch_to(unknown);
        self.b.assign(hash, 0);
        self.b.jump(asked);
        self.b.switch_to(asked);
        let given = ask(self);
        self.b.assign(number, given);
        self.b.branch_if(Cmp::SLt, number, 0, done);
        self.b.branch_if(Cmp::Ne, hash, 0, walked);
        if let (Way::Kernel { orc, from }, Some(start)) = (way, start) {
            let learnt = self.b.load(start, START_ADDRESS, Width::B8, false);
            self.b.branch_if(Cmp::Ne, learnt, 0, done);
            self.learn_start(&orc, from, start, frames, done);
        }
        self.b.jump(done);
        self.b.switch_to(walked);
        self.keep_stack(map, way, key, frames, hash, number);
        self.b.jump(done);
        self.b.switch_to(done);
        number.into()
    }

    /// What the program has learnt of where its walks start, if there is anything to learn.
    fn start(&mut self, way: Way) -> Option<VReg> {
        if matches!(way, Way::Process | Way::Kernel { from: From::Registers | From::Sample, .. }) {
            return None;
        }
        let (map, offset) = self.resources.unwind_start();
        Some(self.b.map_value_addr(map, offset))
    }

    /// A walk from the frame that the context is in.
    fn learnt_walk(&mut self, from: From, start: VReg, hash: VReg, room: Place, unknown: BlockId) -> Walk {
        let tracer = self.b.load(start, START_ADDRESS, Width::B8, false);
        self.b.branch_if(Cmp::Eq, tracer, 0, unknown);
        let context = self.b.context();
        let context = self.as_number(room, context);
        let offset = self.b.load(start, START_OFFSET, Width::B8, false);
        let slot = self.b.add(context, offset);
        let end = self.stack_end(room, slot, unknown);
        let (address, saved) = match from {
            From::Trampoline => (self.kernel_word(room, slot), self.b.sub(slot, 8)),
            _ => (tracer, self.b.copy(0)),
        };
        let [slot, address, saved] = [slot, address, saved].map(|register| self.b.copy(register));
        Walk { slot, address, end, saved, hash }
    }

    /// A walk from the entry of a function, which itself is a part of what tells stacks apart.
    fn walk_from_registers(&mut self, hash: VReg, room: Place, unknown: BlockId) -> Walk {
        let registers = self.unit.target.arch.registers();
        let context = self.b.context();
        let [ip, slot] = [registers.ip, registers.sp].map(|at| self.b.load(context, at, Width::B8, false));
        let end = self.stack_end(room, slot, unknown);
        self.mix(hash, ip);
        let address = self.kernel_word(room, slot);
        let context = self.as_number(room, context);
        let saved = self.b.add(context, i64::from(registers.bp));
        let [slot, address, saved] = [slot, address, saved].map(|register| self.b.copy(register));
        Walk { slot, address, end, saved, hash }
    }

    /// A walk from the instruction that was interrupted, as if it had called what returns behind its first byte: what rules are about is
    /// in front of where is returned to.
    fn walk_from_sample(&mut self, orc: &Orc, hash: VReg, room: Place, unknown: BlockId) -> Walk {
        let registers = self.unit.target.arch.registers();
        let context = self.b.context();
        let [ip, sp] = [registers.ip, registers.sp].map(|at| self.b.load(context, at, Width::B8, false));
        let slot = self.b.sub(sp, 8);
        let end = self.stack_end(room, slot, unknown);
        let address = self.b.add(ip, 1);
        // Samples begin at many more places than there are return addresses: this one is learnt at once.
        let [missing, begin] = [(); 2].map(|()| self.b.new_block());
        self.rule(address, missing);
        self.b.jump(begin);
        self.b.switch_to(missing);
        self.learn_rule(orc, address);
        self.b.jump(begin);
        self.b.switch_to(begin);
        // What the kernel has in place of the context starts with where the registers are.
        let context = self.as_number(room, context);
        let kept = self.kernel_word(room, context);
        let saved = self.b.add(kept, i64::from(registers.bp));
        let [slot, address, saved] = [slot, address, saved].map(|register| self.b.copy(register));
        Walk { slot, address, end, saved, hash }
    }

    /// Where the stack ends; to `unknown` where `slot` is not on the current task's.
    fn stack_end(&mut self, room: Place, slot: VReg, unknown: BlockId) -> VReg {
        let task = self.b.call(Helper::GetCurrentTaskBtf, &[]);
        let registers = self.b.call(Helper::TaskPtRegs, &[task.into()]);
        let end = self.as_number(room, registers);
        let bytes = self.b.sub(end, slot);
        self.b.branch_if(Cmp::UGt, bytes, STACK, unknown);
        end
    }

    /// An address that is a number to the verifier: it is what is read back from a map's value.
    fn as_number(&mut self, room: Place, address: VReg) -> VReg {
        self.b.store(room.base, room.offset, Width::B8, address);
        self.b.load(room.base, room.offset, Width::B8, false)
    }

    /// Keeps the number of a stack if the kernel found the return addresses that the program did.
    fn keep_stack(&mut self, map: MapRef, way: Way, key: Place, frames: Place, hash: VReg, number: VReg) {
        let flags = if way == Way::Process { USER } else { 0 };
        let bytes = self.account(frames, flags);
        let expected = self.b.copy(0);
        let [turn, more, end, alike, keep] = [(); 5].map(|()| self.b.new_block());
        if matches!(way, Way::Kernel { from: From::Sample, .. }) {
            let interrupted = self.b.load(frames.base, frames.offset, Width::B8, false);
            let behind = self.b.add(interrupted, 1);
            self.b.store(frames.base, frames.offset, Width::B8, behind);
        }
        let at = self.b.copy(i64::from(way.first_frame()));
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
        let value = self.b.copy(NOT_ALIKE);
        self.b.branch(Cmp::Eq, expected, hash, alike, keep);
        self.b.switch_to(alike);
        self.b.assign(value, number);
        self.b.jump(keep);
        self.b.switch_to(keep);
        let kept = self.temp(4);
        self.b.store(kept.base, kept.offset, Width::B4, value);
        let (key, kept) = (self.address(key), self.address(kept));
        self.update(map, key, kept, ANY);
    }

    /// Learns where walks start: what the tracer's return address is, and where; goes to `done`.
    fn learn_start(&mut self, orc: &Orc, from: From, start: VReg, frames: Place, done: BlockId) {
        let bytes = self.account(frames, 0);
        self.b.branch_if(Cmp::SLe, bytes, i64::from(SITE), done);
        let [tracer, site] = [TRACER, SITE].map(|at| self.b.load(frames.base, frames.offset + at, Width::B8, false));
        let offset = match from {
            From::Tracer => {
                let frame = self.frame_of_tracer(orc, tracer, done);
                let at = self.find_in_window(frames, site, done);
                self.b.sub(at, frame)
            }
            _ => self.find_in_window(frames, site, done),
        };
        self.b.store(start, START_OFFSET, Width::B8, offset);
        self.b.store(start, START_ADDRESS, Width::B8, tracer);
    }

    /// How far above the tracer's own return address its caller's is; to `done` where that is not known, at least not yet.
    fn frame_of_tracer(&mut self, orc: &Orc, tracer: VReg, done: BlockId) -> VReg {
        let [missing, known] = [(); 2].map(|()| self.b.new_block());
        let rule = self.rule(tracer, missing);
        self.b.jump(known);
        self.b.switch_to(missing);
        self.learn_rule(orc, tracer);
        self.b.jump(done);
        self.b.switch_to(known);
        let kind = self.rule_part(rule, Part::Kind);
        self.b.branch_if(Cmp::Ne, kind, Kind::BySp as i64, done);
        self.rule_part(rule, Part::SpOffset)
    }

    /// Where a word first is behind the context, in bytes from it; to `done` where it is not in the window.
    fn find_in_window(&mut self, room: Place, sought: VReg, done: BlockId) -> VReg {
        let context = self.b.context();
        self.read_bytes(room, WINDOW, context.into(), Space::Kernel);
        let [turn, more, next, here] = [(); 4].map(|()| self.b.new_block());
        let at = self.b.copy(8);
        self.b.jump(turn);
        self.b.switch_to(turn);
        self.b.branch(Cmp::UGe, at, i64::from(WINDOW), done, more);
        self.b.switch_to(more);
        let base = self.address(room);
        let place = self.b.add(base, at);
        let word = self.b.load(place, 0, Width::B8, false);
        self.b.branch(Cmp::Eq, word, sought, here, next);
        self.b.switch_to(next);
        let after = self.b.add(at, 8);
        self.b.assign(at, after);
        self.b.jump(turn);
        self.b.switch_to(here);
        at
    }

    /// The kernel's own account of the stack; its bytes, or a negative error.
    fn account(&mut self, to: Place, flags: i64) -> VReg {
        let (context, to) = (self.b.context(), self.address(to));
        let args = [context.into(), to.into(), Operand::Imm(i64::from(FRAMES)), Operand::Imm(flags)];
        self.b.call(Helper::GetStack, &args)
    }
}
