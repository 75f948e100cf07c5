//! Functions made from random choices: straight code, branches, bounded loops, calls and memory, all by the rules.

use bpf::helper::Helper;
use lang::ir::{BlockId, Builder, Cmp, Function, MapRef, Op, Operand, SlotId, VReg, Width};

/// Which helpers a function may call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Those that take and give numbers; no atomic additions and no negative constants either.
    Scalar,
    /// Also those that read and write memory.
    Any,
}

/// The function that these choices make.
pub fn function(choices: &[u8], calls: Calls) -> Function {
    let mut random =
        Random { choices: choices.iter(), b: Builder::new(), values: vec![], slots: vec![], calls, loops: 0 };
    let context = random.b.context();
    for offset in [0, 8, 16] {
        let value = random.b.load(context, offset, Width::B8, false);
        random.values.push(value);
    }
    random.slot();
    random.block(0);
    let mut sum = random.b.copy(0);
    for value in random.values.clone() {
        let mixed = random.b.mul(sum, 31);
        sum = random.b.add(mixed, value);
    }
    random.b.exit(sum);
    random.b.finish()
}

struct Random<'a> {
    choices: std::slice::Iter<'a, u8>,
    b: Builder,
    /// Registers assigned on every way to the current place; any may be assigned again.
    values: Vec<VReg>,
    /// Slots whose every byte has been written.
    slots: Vec<(SlotId, u32)>,
    calls: Calls,
    loops: u32,
}

const OPS: [Op; 11] =
    [Op::Add, Op::Sub, Op::Mul, Op::UDiv, Op::UMod, Op::And, Op::Or, Op::Xor, Op::Shl, Op::LShr, Op::AShr];
const CMPS: [Cmp; 10] =
    [Cmp::Eq, Cmp::Ne, Cmp::ULt, Cmp::ULe, Cmp::UGt, Cmp::UGe, Cmp::SLt, Cmp::SLe, Cmp::SGt, Cmp::SGe];
const WIDTHS: [Width; 4] = [Width::B1, Width::B2, Width::B4, Width::B8];
const CONSTANTS: [i64; 16] = [
    0,
    1,
    -1,
    2,
    7,
    8,
    63,
    64,
    255,
    1 << 20,
    i32::MAX as i64,
    i32::MIN as i64,
    u32::MAX as i64,
    1 << 40,
    i64::MIN,
    -4096,
];

impl Random<'_> {
    fn pick(&mut self, of: usize) -> usize {
        self.choices.next().map_or(0, |choice| *choice as usize % of)
    }

    fn value(&mut self) -> VReg {
        let index = self.pick(self.values.len());
        self.values[index]
    }

    fn operand(&mut self) -> Operand {
        match self.pick(3) {
            0 => {
                let constant = CONSTANTS[self.pick(CONSTANTS.len())];
                Operand::Imm(if self.calls == Calls::Scalar { constant.saturating_abs() } else { constant })
            }
            _ => self.value().into(),
        }
    }

    fn width(&mut self) -> Width {
        WIDTHS[self.pick(4)]
    }

    /// A slot with a pattern in it.
    fn slot(&mut self) -> (SlotId, u32) {
        let size = [8, 16, 24, 56][self.pick(4)];
        let slot = self.b.slot(size);
        self.b.store_zeros(slot, 0, size);
        self.slots.push((slot, size));
        (slot, size)
    }

    /// A place of `width` in a slot.
    fn place(&mut self, width: Width) -> (SlotId, i32) {
        let index = self.pick(self.slots.len());
        let (slot, size) = self.slots[index];
        let places = size / width.bytes();
        (slot, (self.pick(places as usize) as u32 * width.bytes()) as i32)
    }

    fn block(&mut self, depth: u32) {
        let (values, slots) = (self.values.len(), self.slots.len());
        while self.choices.len() > 0 {
            match self.pick(16) {
                0 if depth > 0 => break,
                choice => self.statement(choice, depth),
            }
        }
        self.values.truncate(values.max(if depth == 0 { self.values.len() } else { 0 }));
        self.slots.truncate(slots.max(1));
    }

    fn statement(&mut self, choice: usize, depth: u32) {
        match choice {
            1..=4 => {
                let (op, a, b) = (OPS[self.pick(OPS.len())], self.operand(), self.operand());
                let value = self.b.bin(op, a, b);
                self.keep(value);
            }
            5 => {
                let (value, width, signed) = (self.operand(), self.width(), self.pick(2) == 0);
                let value = self.b.extend(value, width, signed);
                self.keep(value);
            }
            6 => {
                let (cmp, a, b) = (CMPS[self.pick(CMPS.len())], self.operand(), self.operand());
                let value = self.b.set(cmp, a, b);
                self.keep(value);
            }
            7 => {
                let (dst, value) = (self.value(), self.operand());
                self.b.assign(dst, value);
            }
            8 | 9 => self.memory(),
            10 | 11 => self.call(),
            12 => {
                let (value, width) = (self.value(), self.width());
                let value = self.b.swap(value, width);
                self.keep(value);
            }
            13 if depth < 4 && self.loops < 2 => self.bounded_loop(depth),
            _ if depth < 5 => self.branch(depth),
            _ => {}
        }
    }

    /// Either a new value or a new assignment of an old one.
    fn keep(&mut self, value: VReg) {
        if self.pick(4) == 0 {
            let dst = self.value();
            self.b.assign(dst, value);
        }
        self.values.push(value);
    }

    fn memory(&mut self) {
        let width = self.width();
        let (slot, offset) = self.place(width);
        match self.pick(6) {
            0 if self.calls == Calls::Any => {
                let value = self.value();
                self.b.atomic_add(slot, offset & !7, Width::B8, value);
            }
            1 => {
                self.slot();
            }
            2 => {
                let start = self.b.slot_addr(slot, 0);
                let address = self.b.add(start, i64::from(offset));
                let value = self.operand();
                self.b.store(address, 0, width, value);
            }
            3 => {
                let value = self.operand();
                self.b.store(slot, offset, width, value);
            }
            _ => {
                let signed = self.pick(2) == 0;
                let value = self.b.load(slot, offset, width, signed);
                self.keep(value);
            }
        }
    }

    fn call(&mut self) {
        let memory = self.calls == Calls::Any;
        let value = match self.pick(if memory { 10 } else { 4 }) {
            0 => self.b.call(Helper::GetCurrentPidTgid, &[]),
            1 => self.b.call(Helper::KtimeGetNs, &[]),
            2 => {
                let arg = self.operand();
                self.b.call(Helper::SendSignal, &[arg])
            }
            3 => {
                let args = [self.operand(), self.operand(), self.operand(), self.operand()];
                self.b.call(Helper::RingbufOutput, &args)
            }
            4 => {
                let (slot, offset) = self.place(Width::B8);
                let address = self.b.slot_addr(slot, offset);
                let (size, from) = (Operand::Imm(1 + self.pick(8) as i64), self.operand());
                self.b.call(Helper::ProbeReadKernel, &[address.into(), size, from])
            }
            5..=7 => return self.element(),
            8 => {
                let (key, _) = self.place(Width::B8);
                let (map, key) = (self.b.map_addr(MapRef(3)), self.b.slot_addr(key, 0));
                self.b.call(Helper::MapDeleteElem, &[map.into(), key.into()])
            }
            _ => {
                let ((key, key_at), (value, value_at)) = (self.place(Width::B8), self.place(Width::B8));
                let map = self.b.map_addr(MapRef(3));
                let (key, value) = (self.b.slot_addr(key, key_at), self.b.slot_addr(value, value_at));
                let flags = self.operand();
                self.b.call(Helper::MapUpdateElem, &[map.into(), key.into(), value.into(), flags])
            }
        };
        self.keep(value);
    }

    /// Reads and changes the element of a small key, adding it where it is missing.
    fn element(&mut self) {
        let key = self.b.slot(8);
        let small = match self.pick(3) {
            0 => Operand::Imm(self.pick(2) as i64),
            1 => self.b.call(Helper::GetCurrentPidTgid, &[]).into(),
            _ => {
                let value = self.value();
                self.b.and(value, 1).into()
            }
        };
        self.b.store(key, 0, Width::B8, small);
        let map = self.b.map_addr(MapRef(3));
        let address = self.b.slot_addr(key, 0);
        let element = self.b.call(Helper::MapLookupElem, &[map.into(), address.into()]);
        let value = self.b.copy(0);
        let (found, missing, join) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(Cmp::Ne, element, 0, found, missing);
        self.b.switch_to(found);
        let loaded = self.b.load(element, 0, Width::B8, false);
        self.b.assign(value, loaded);
        let more = self.b.add(loaded, 1);
        self.b.store(element, 0, Width::B8, more);
        if self.pick(2) == 0 {
            self.same_element(small, value);
        }
        self.b.jump(join);
        self.b.switch_to(missing);
        if self.pick(2) == 0 {
            let (slot, offset) = self.place(Width::B8);
            let new = self.b.slot_addr(slot, offset);
            self.b.call_void(Helper::MapUpdateElem, &[map.into(), address.into(), new.into(), Operand::Imm(1)]);
        }
        self.b.jump(join);
        self.b.switch_to(join);
        self.keep(value);
    }

    /// Looks up an element that was found before, perhaps after it was replaced or removed.
    fn same_element(&mut self, small: Operand, value: VReg) {
        let (map, key) = (self.b.map_addr(MapRef(3)), self.b.slot(8));
        self.b.store(key, 0, Width::B8, small);
        let address = self.b.slot_addr(key, 0);
        match self.pick(4) {
            0 => self.b.call_void(Helper::MapDeleteElem, &[map.into(), address.into()]),
            1 => {
                self.b.call_void(Helper::MapUpdateElem, &[map.into(), address.into(), address.into(), Operand::Imm(0)])
            }
            2 => {
                let other = self.operand();
                self.b.store(key, 0, Width::B8, other);
            }
            _ => {}
        }
        let element = self.b.call(Helper::MapLookupElem, &[map.into(), address.into()]);
        let (found, join) = (self.b.new_block(), self.b.new_block());
        self.b.branch(Cmp::Ne, element, 0, found, join);
        self.b.switch_to(found);
        let loaded = self.b.load(element, 0, Width::B8, false);
        self.b.assign(value, loaded);
        self.b.jump(join);
        self.b.switch_to(join);
    }

    fn branch(&mut self, depth: u32) {
        let (cmp, a, b) = (CMPS[self.pick(CMPS.len())], self.operand(), self.operand());
        let (then, otherwise, join) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(cmp, a, b, then, otherwise);
        self.b.switch_to(then);
        self.block(depth + 1);
        self.leave(join);
        self.b.switch_to(otherwise);
        if self.pick(2) == 0 {
            self.block(depth + 1);
        }
        self.b.jump(join);
        self.b.switch_to(join);
    }

    /// On to the join, or out of the program.
    fn leave(&mut self, join: BlockId) {
        if self.pick(6) == 5 {
            let value = self.operand();
            self.b.exit(value);
        } else {
            self.b.jump(join);
        }
    }

    fn bounded_loop(&mut self, depth: u32) {
        self.loops += 1;
        let times = 1 + self.pick(5) as i64;
        let (head, body, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        let count = self.b.copy(0);
        self.b.jump(head);
        self.b.switch_to(head);
        self.b.branch(Cmp::ULt, count, times, body, done);
        self.b.switch_to(body);
        self.block(depth + 1);
        let next = self.b.add(count, 1);
        self.b.assign(count, next);
        self.b.jump(head);
        self.b.switch_to(done);
        self.loops -= 1;
    }
}
