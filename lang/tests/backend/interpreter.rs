//! The meaning of the low-level form, spelled out.

use lang::ir::{Base, BlockId, Function, Inst, Operand, Term, VReg, Width};

use crate::world::{self, CONTEXT, ELEMENTS, Elements, MAPS, Memory, Outcome};

/// Where slots lie, each on its own page.
const SLOTS: u64 = 0x2000_0000;
const PAGE: u64 = 0x1000;
/// No generated function takes this many steps.
const STEPS: usize = 1_000_000;

struct State {
    registers: Vec<u64>,
    slots: Vec<Vec<u8>>,
    context: Vec<u8>,
    elements: Elements,
}

impl State {
    fn byte(&self, address: u64) -> u8 {
        if address >= SLOTS {
            let offset = address - SLOTS;
            return self.slots[(offset / PAGE) as usize][(offset % PAGE) as usize];
        }
        self.context[(address - CONTEXT) as usize]
    }

    fn value(&self, operand: Operand) -> u64 {
        match operand {
            Operand::Reg(VReg(index)) => self.registers[index as usize],
            Operand::Imm(value) => value as u64,
        }
    }

    fn address(&self, base: Base, offset: i32) -> u64 {
        let start = match base {
            Base::Reg(register) => self.value(register.into()),
            Base::Slot(slot) => SLOTS + u64::from(slot.0) * PAGE,
        };
        start.wrapping_add(offset as i64 as u64)
    }
}

impl Memory for State {
    fn elements(&mut self) -> &mut Elements {
        &mut self.elements
    }

    fn read(&mut self, address: u64, bytes: u32) -> u64 {
        if address >= ELEMENTS {
            let (word, offset) = self.elements.word(address);
            return (*word >> (8 * offset)) & (u64::MAX >> (64 - 8 * bytes));
        }
        (0..u64::from(bytes)).map(|index| u64::from(self.byte(address + index)) << (8 * index)).sum()
    }

    fn write(&mut self, address: u64, bytes: u32, value: u64) {
        if address >= ELEMENTS {
            let (word, offset) = self.elements.word(address);
            let mask = u64::MAX >> (64 - 8 * bytes) << (8 * offset);
            *word = *word & !mask | value << (8 * offset) & mask;
            return;
        }
        for index in 0..u64::from(bytes) {
            let offset = address + index - SLOTS;
            self.slots[(offset / PAGE) as usize][(offset % PAGE) as usize] = (value >> (8 * index)) as u8;
        }
    }
}

fn extended(value: u64, width: Width, signed: bool) -> u64 {
    let shift = 64 - width.bits();
    if signed { ((value << shift) as i64 >> shift) as u64 } else { value << shift >> shift }
}

/// Runs a function to its end.
pub fn run(function: &Function) -> Outcome {
    let mut state = State {
        registers: vec![0xdead_dead_dead_dead; function.vregs as usize],
        slots: function.slots.iter().map(|slot| vec![0xbb; slot.size as usize]).collect(),
        context: world::context(),
        elements: Elements::default(),
    };
    let mut outcome = Outcome::default();
    let mut at = BlockId(0);
    for _ in 0..STEPS {
        let block = &function.blocks[at.0 as usize];
        for (inst, _) in &block.insts {
            step(inst, &mut state, &mut outcome);
        }
        match block.term {
            Term::Jump(target) => at = target,
            Term::Branch { cmp, a, b, then, otherwise } => {
                let holds = cmp.eval(state.value(a) as i64, state.value(b) as i64);
                at = if holds { then } else { otherwise };
            }
            Term::Exit(value) => {
                outcome.result = state.value(value);
                return outcome;
            }
        }
    }
    panic!("the function does not end\n{function}");
}

fn step(inst: &Inst, state: &mut State, outcome: &mut Outcome) {
    let result = match inst {
        Inst::Argument { .. } | Inst::FunctionAddr { .. } => panic!("random functions call none back"),
        Inst::CallKernel { .. } => panic!("random functions call helpers only"),
        Inst::Copy { value, .. } => state.value(*value),
        Inst::Bin { op, a, b, .. } => op.eval(state.value(*a) as i64, state.value(*b) as i64) as u64,
        Inst::Extend { value, width, signed, .. } => extended(state.value(*value), *width, *signed),
        Inst::Swap { value, width, .. } => state.value((*value).into()).swap_bytes() >> (64 - width.bits()),
        Inst::Set { cmp, a, b, .. } => u64::from(cmp.eval(state.value(*a) as i64, state.value(*b) as i64)),
        Inst::Load { base, offset, width, signed, .. } => {
            extended(state.read(state.address(*base, *offset), width.bytes()), *width, *signed)
        }
        Inst::Store { base, offset, width, value } => {
            return state.write(state.address(*base, *offset), width.bytes(), state.value(*value));
        }
        Inst::AtomicAdd { base, offset, width, value } => {
            let address = state.address(*base, *offset);
            let sum = state.read(address, width.bytes()).wrapping_add(state.value((*value).into()));
            return state.write(address, width.bytes(), sum);
        }
        Inst::SlotAddr { slot, offset, .. } => state.address((*slot).into(), *offset),
        Inst::MapAddr { map, .. } => MAPS + u64::from(map.0),
        Inst::MapValueAddr { .. } => panic!("not generated"),
        Inst::Context { .. } => CONTEXT,
        Inst::Call { helper, args, .. } => {
            let args: Vec<u64> = args.iter().map(|arg| state.value(*arg)).collect();
            world::call(*helper, &args, state, outcome)
        }
    };
    if let Some(VReg(dst)) = inst.dst() {
        state.registers[dst as usize] = result;
    }
}
