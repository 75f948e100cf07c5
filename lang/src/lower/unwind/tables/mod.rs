//! The stack of a process that keeps no frame pointers, by tables of what its compilers left for exceptions ([`crate::unwinding`]).
//!
//! Each frame is a turn of `bpf_loop`, so that the verifier follows one. What goes from turn to turn is in working memory: the
//! registers, the frames so far and their hash. Where a table is missing, the stack ends, and whoever makes the tables is told.

mod caller;
mod search;

use bpf::helper::Helper;
use report::schema::StackType;

use super::number::{LOST, NO_STACK};
use crate::builtin::MOST_FRAMES;
use crate::ir::{BlockId, Cmp, FunctionId, Operand, VReg, Width};
use crate::lower::element::{ANY, NOEXIST};
use crate::lower::{Lost, Lowerer, Place, stack_bytes};
use crate::target::Target;
use crate::unwinding;

/// Words of working memory, and behind them the frames.
const IP: i32 = 0;
const SP: i32 = 8;
const BP: i32 = 16;
/// How far before the address of the frame at hand its rule is looked for: 1 behind a call, else 0.
const BACK: i32 = 24;
const COUNT: i32 = 32;
const HASH: i32 = 40;
/// An address that no table knows.
const WANTED: i32 = 48;
/// Three words of the stack.
const READ: i32 = 56;
/// The piece of code that was met last.
const PIECE: i32 = 80;
const FRAMES: i32 = PIECE + unwinding::MAPPED_BYTES as i32;
/// More than is ever on the program's own stack.
const LEAST: u32 = 256;

/// Where the kernel keeps what tells processes' images apart.
#[derive(Clone, Copy)]
struct ImagePlaces {
    memory: i32,
    end_code: i32,
    start_stack: i32,
}

impl ImagePlaces {
    fn of(target: &Target) -> Option<Self> {
        let Some(btf) = target.btf.as_deref() else {
            // Nothing is known of a node that is none in particular.
            return (!target.complete).then_some(Self { memory: 0, end_code: 0, start_stack: 0 });
        };
        let place = |of: &str, name: &str| {
            let offset = btf.member(btf.find_struct(of)?, name)?.offset();
            i32::try_from(offset).ok().filter(|offset| offset % 8 == 0)
        };
        Some(Self {
            memory: place("task_struct", "mm")?,
            end_code: place("mm_struct", "end_code")?,
            start_stack: place("mm_struct", "start_stack")?,
        })
    }
}

/// Whether programs can follow stacks by tables on this node.
pub fn follows_tables(target: &Target) -> bool {
    let features = target.features;
    features.task_btf && features.task_registers && features.bpf_loop && ImagePlaces::of(target).is_some()
}

impl Lowerer<'_> {
    /// The number of the process's stack as its tables tell it, or a negative error.
    pub fn table_stack_number(&mut self, stack: &StackType) -> Operand {
        let (map, size) = (self.resources.stacks(stack), stack_bytes(stack));
        let number = self.b.copy(NO_STACK);
        let Some(places) = ImagePlaces::of(self.unit.target) else { return number.into() };
        let (key, image) = (self.temp(8), self.temp(unwinding::IMAGE_BYTES));
        let room = self.temp((FRAMES as u32 + size + 8).max(LEAST)).offset;
        let [walked, told, lost, done] = [(); 4].map(|()| self.b.new_block());

        self.take_registers(room, image, places, done);
        self.follow_frames(room, image, i64::from(stack.depth.clamp(1, MOST_FRAMES)), walked);
        self.b.switch_to(walked);
        let scratch = self.scratch_register();
        let wanted = self.b.load(scratch, room + WANTED, Width::B8, false);
        self.b.branch_if(Cmp::Eq, wanted, 0, told);
        self.request(wanted, image, told);
        self.b.switch_to(told);
        let scratch = self.scratch_register();
        let count = self.b.load(scratch, room + COUNT, Width::B8, false);
        self.b.branch_if(Cmp::UGe, count, i64::from(size / 8) + 1, done);
        // What is there from another time must not seem to be a part of it.
        let bytes = self.b.shl(count, 3);
        let end = self.b.add(scratch, bytes);
        self.b.store(end, room + FRAMES, Width::B8, 0);
        let hash = self.b.load(scratch, room + HASH, Width::B8, false);
        self.find_number(map, hash, number, key, done);
        let (key, frames) = (self.address(key), self.b.add(scratch, i64::from(room + FRAMES)));
        let failed = self.update(map, key, frames, ANY);
        self.b.branch(Cmp::Eq, failed, 0, done, lost);
        self.b.switch_to(lost);
        self.count_lost(Lost::Stack);
        self.b.assign(number, LOST);
        self.b.jump(done);
        self.b.switch_to(done);
        number.into()
    }

    /// Takes the registers that the process left user space with, and what tells it apart; to `none` in a thread of the kernel.
    fn take_registers(&mut self, room: i32, image: Place, places: ImagePlaces, none: BlockId) {
        let registers = self.unit.target.arch.registers();
        let task = self.b.call(Helper::GetCurrentTaskBtf, &[]);
        let memory = self.b.load(task, places.memory, Width::B8, false);
        let end_code = self.b.load(memory, places.end_code, Width::B8, false);
        let start_stack = self.b.load(memory, places.start_stack, Width::B8, false);
        self.b.branch_if(Cmp::Eq, end_code, 0, none);
        self.b.store(image.base, image.offset, Width::B8, end_code);
        self.b.store(image.base, image.offset + 8, Width::B8, start_stack);
        let left = self.b.call(Helper::TaskPtRegs, &[task.into()]);
        let scratch = self.scratch_register();
        for (to, from) in [(IP, registers.ip), (SP, registers.sp), (BP, registers.bp)] {
            let value = self.b.load(left, from, Width::B8, false);
            self.b.store(scratch, room + to, Width::B8, value);
        }
        for word in [BACK, COUNT, HASH, WANTED, PIECE + unwinding::SIZE] {
            self.b.store(scratch, room + word, Width::B8, 0);
        }
    }

    /// Follows the stack to its end or through `most` frames, and goes to `done`.
    fn follow_frames(&mut self, room: i32, image: Place, most: i64, done: BlockId) {
        let tables = self.resources.unwind_tables();
        let known = self.b.new_block();
        let unknown = self.b.new_block();
        let at = self.address(image);
        let process = self.lookup(tables.processes, at);
        self.b.branch(Cmp::Eq, process, 0, unknown, known);

        self.b.switch_to(unknown);
        let scratch = self.scratch_register();
        let ip = self.b.load(scratch, room + IP, Width::B8, false);
        self.b.store(scratch, room + FRAMES, Width::B8, ip);
        let hash = self.b.load(scratch, room + HASH, Width::B8, false);
        let hash = self.b.copy(hash);
        self.mix(hash, ip);
        for (word, value) in [(HASH, Operand::from(hash)), (COUNT, 1.into()), (WANTED, ip.into())] {
            self.b.store(scratch, room + word, Width::B8, value);
        }
        self.b.jump(done);

        self.b.switch_to(known);
        let frame = self.frame_with(process);
        let turn: FunctionId = self.turn(1, |lowerer, frame| lowerer.follow_frame(frame, room, most));
        self.call_turns(most, turn, frame);
        self.b.jump(done);
    }

    /// One turn: keeps the frame at hand and finds the next.
    fn follow_frame(&mut self, frame: VReg, room: i32, most: i64) {
        let Some((done, next)) = self.ways_of_turn() else { return };
        let index = self.b.argument(0);
        self.b.branch_if(Cmp::UGe, index, most, done);
        let scratch = self.scratch_register();
        let ip = self.b.load(scratch, room + IP, Width::B8, false);
        self.keep_frame(room, index, ip);
        let back = self.b.load(scratch, room + BACK, Width::B8, false);
        let address = self.b.sub(ip, back);
        let unknown = self.b.new_block();
        self.find_piece(frame, room, address, unknown);
        let rule = self.find_rule(room, address, done);
        self.find_caller(room, ip, rule, (done, next));

        self.b.switch_to(unknown);
        self.b.store(scratch, room + WANTED, Width::B8, address);
        self.b.jump(done);
    }

    fn keep_frame(&mut self, room: i32, index: VReg, ip: VReg) {
        let scratch = self.scratch_register();
        let bytes = self.b.shl(index, 3);
        let place = self.b.add(scratch, bytes);
        self.b.store(place, room + FRAMES, Width::B8, ip);
        let count = self.b.add(index, 1);
        self.b.store(scratch, room + COUNT, Width::B8, count);
        let hash = self.b.load(scratch, room + HASH, Width::B8, false);
        let hash = self.b.copy(hash);
        self.mix(hash, ip);
        self.b.store(scratch, room + HASH, Width::B8, hash);
    }

    /// Asks for a table that knows an address, unless that was done before; then goes to `told`.
    fn request(&mut self, address: VReg, image: Place, told: BlockId) {
        let tables = self.resources.unwind_tables();
        let pid = self.process_id();
        let pid = self.b.copy(pid);
        let high = self.b.shl(pid, 32);
        let region = self.b.lshr(address, i64::from(unwinding::REGION_BITS));
        let region = self.b.extend(region, Width::B4, false);
        let known_by = self.b.or(high, region);
        let key = self.temp(8);
        self.b.store(key.base, key.offset, Width::B8, known_by);
        let ring = self.b.map_addr(tables.requests);
        let bytes = Operand::Imm(i64::from(unwinding::REQUEST_BYTES));
        let record = self.b.call(Helper::RingbufReserve, &[ring.into(), bytes, Operand::Imm(0)]);
        self.b.branch_if(Cmp::Eq, record, 0, told);
        self.b.store(record, 0, Width::B8, pid);
        self.b.store(record, unwinding::ADDRESS, Width::B8, address);
        for word in [0, 8] {
            let value = self.b.load(image.base, image.offset + word, Width::B8, false);
            self.b.store(record, unwinding::IMAGE + word, Width::B8, value);
        }
        let [new, old] = [(); 2].map(|()| self.b.new_block());
        let at = self.address(key);
        let failed = self.update(tables.asked, at, at, NOEXIST);
        self.b.branch(Cmp::Eq, failed, 0, new, old);
        for (block, helper) in [(new, Helper::RingbufSubmit), (old, Helper::RingbufDiscard)] {
            self.b.switch_to(block);
            self.b.call_void(helper, &[record.into(), Operand::Imm(0)]);
            self.b.jump(told);
        }
    }
}
