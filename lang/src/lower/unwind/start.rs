//! Where a walk of the kernel's stack starts, by how the program is called.

use bpf::helper::Helper;

use super::rule::{Kind, Part};
use super::step::Walk;
use super::{From, Way};
use crate::ir::{BlockId, Cmp, VReg, Width};
use crate::lower::{Lowerer, Place};
use crate::orc::Orc;
use crate::types::Space;

/// Bytes of the largest kernel stack.
const STACK: i64 = 1 << 14;
/// Where in the kernel's own account of a stack the function is that called the program, and its caller.
pub(super) const TRACER: i32 = 8;
pub(super) const SITE: i32 = 16;
/// Bytes of the tracer's frame that its return address is looked for in, from the context on. Working memory for so many is never on the
/// program's own stack, where older kernels do not allow addresses to vary.
pub(super) const WINDOW: u32 = 256;
/// Where a start has the return address in the tracer, 0 until it is learnt, and where on the stack that would be, counted from
/// the context.
const START_ADDRESS: i32 = 0;
const START_OFFSET: i32 = 8;
/// Where it is counted how often the kernel was asked.
const ASKED: i32 = 16;

impl Lowerer<'_> {
    /// Walks the stack at hand; to `unknown` where that cannot be done. The hash of at most so many return addresses.
    pub(super) fn walk(&mut self, way: Way, memory: VReg, room: Place, most: u32, unknown: BlockId) -> VReg {
        let hash = self.b.copy(0);
        let Way::Kernel { orc, from } = way else {
            self.walk_process(hash, most, unknown);
            return hash;
        };
        let (walk, most) = match from {
            From::Tracer | From::Trampoline => (self.learnt_walk(from, memory, hash, room, unknown), most),
            From::Sample => (self.walk_from_sample(&orc, hash, room, unknown), most),
            From::Registers => (self.walk_from_registers(hash, room, unknown), most - 1),
        };
        self.walk_stack(&orc, &walk, most, unknown);
        hash
    }

    /// What a program remembers of its walks.
    pub(super) fn memory_of_walks(&mut self) -> VReg {
        let (map, offset) = self.resources.walks();
        self.b.map_value_addr(map, offset)
    }

    /// Counts that the kernel is asked for a stack, for those who want to know how often.
    pub(super) fn count_asked(&mut self, memory: VReg) {
        let one = self.b.copy(1);
        self.b.atomic_add(memory, ASKED, Width::B8, one);
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

    /// Learns where walks start, once, from `bytes` of what the kernel tells: what the tracer's return address is, and where.
    pub(super) fn learn_start(
        &mut self,
        orc: &Orc,
        from: From,
        start: VReg,
        frames: Place,
        bytes: VReg,
        done: BlockId,
    ) {
        let learnt = self.b.load(start, START_ADDRESS, Width::B8, false);
        self.b.branch_if(Cmp::Ne, learnt, 0, done);
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
}
