//! A BPF machine: the instruction set document, for the instructions the emitter makes.
//!
//! Registers that a call leaves undefined hold garbage afterwards, and so does the stack at the start.

use bpf::helper::Helper;
use bpf::insn::Insn;
use bpf::opcode::{self, Alu, Jump, Size};
use lang::emit::Emitted;

use crate::arithmetic::{alu, holds};
use crate::world::{self, CONTEXT, ELEMENTS, Elements, MAPS, Memory, Outcome};

/// The frame pointer; the stack lies below.
const FRAME: u64 = 0x7000_0200;
const STACK: u64 = 512;
const STEPS: usize = 10_000_000;

struct State {
    registers: [u64; 11],
    stack: Vec<u8>,
    context: Vec<u8>,
    elements: Elements,
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
        let byte = |address: u64| {
            if address >= FRAME - STACK {
                assert!(address < FRAME, "a read above the stack");
                self.stack[(address - (FRAME - STACK)) as usize]
            } else {
                self.context[(address - CONTEXT) as usize]
            }
        };
        (0..u64::from(bytes)).map(|index| u64::from(byte(address + index)) << (8 * index)).sum()
    }

    fn write(&mut self, address: u64, bytes: u32, value: u64) {
        if address >= ELEMENTS {
            let (word, offset) = self.elements.word(address);
            let mask = u64::MAX >> (64 - 8 * bytes) << (8 * offset);
            *word = *word & !mask | value << (8 * offset) & mask;
            return;
        }
        for index in 0..u64::from(bytes) {
            let at = (address + index).checked_sub(FRAME - STACK).expect("a write below the stack");
            self.stack[at as usize] = (value >> (8 * index)) as u8;
        }
    }
}

/// Runs a program to its end, its maps lying where the world has them.
pub fn run(emitted: &Emitted) -> Outcome {
    let mut insns = emitted.insns.clone();
    for relocation in &emitted.relocations {
        insns[relocation.insn].imm = (MAPS + u64::from(relocation.map.0)) as i32;
        insns[relocation.insn].src = 0;
    }
    let mut state = State {
        registers: [0x5a5a_5a5a_5a5a_5a5a; 11],
        stack: vec![0xaa; STACK as usize],
        context: world::context(),
        elements: Elements::default(),
    };
    state.registers[1] = CONTEXT;
    state.registers[10] = FRAME;
    let mut outcome = Outcome::default();
    let mut at = 0usize;
    for _ in 0..STEPS {
        let insn = insns[at];
        at += 1;
        if insn.is_load_imm64() {
            state.registers[insn.dst as usize] = u64::from(insns[at].imm as u32) << 32 | u64::from(insn.imm as u32);
            at += 1;
            continue;
        }
        match (insn.code & opcode::CLASS_MASK, Jump::of(insn.code)) {
            (opcode::JMP, Some(Jump::Exit)) => {
                outcome.result = state.registers[0];
                return outcome;
            }
            (opcode::JMP, Some(Jump::Call)) => call(insn, &mut state, &mut outcome),
            (opcode::JMP, Some(jump)) => {
                if holds(jump, state.registers[insn.dst as usize], source(insn, &state)) {
                    at = at.checked_add_signed(insn.off.into()).expect("a jump before the start");
                }
            }
            _ => step(insn, &mut state),
        }
    }
    panic!("the program does not end\n{}", bpf::disasm::disassemble(&emitted.insns));
}

fn call(insn: Insn, state: &mut State, outcome: &mut Outcome) {
    let helper = Helper::from_id(insn.imm).expect("a known helper");
    let args = state.registers[1..=helper.arg_count()].to_vec();
    state.registers[0] = world::call(helper, &args, state, outcome);
    for (index, register) in state.registers[1..=5].iter_mut().enumerate() {
        *register = 0x6b6b_0000 + index as u64;
    }
}

fn source(insn: Insn, state: &State) -> u64 {
    if insn.code & opcode::FROM_REG != 0 { state.registers[insn.src as usize] } else { i64::from(insn.imm) as u64 }
}

fn step(insn: Insn, state: &mut State) {
    let (dst, src) = (insn.dst as usize, insn.src as usize);
    let bytes = Size::of(insn.code).bytes();
    let at = |register: usize, state: &State| state.registers[register].wrapping_add(insn.off as i64 as u64);
    match insn.code & opcode::CLASS_MASK {
        opcode::ALU64 => {
            let (a, b) = (state.registers[dst], source(insn, state));
            state.registers[dst] = alu(Alu::of(insn.code).expect("an operation"), a, b);
        }
        opcode::ALU if Alu::of(insn.code) == Some(Alu::Mov) => state.registers[dst] = source(insn, state) & 0xffff_ffff,
        opcode::ALU if Alu::of(insn.code) == Some(Alu::End) => {
            assert_eq!(insn.code & opcode::FROM_REG, opcode::FROM_REG, "to little-endian does nothing");
            state.registers[dst] = state.registers[dst].swap_bytes() >> (64 - insn.imm);
        }
        opcode::LDX => state.registers[dst] = state.read(at(src, state), bytes),
        opcode::ST => state.write(at(dst, state), bytes, i64::from(insn.imm) as u64),
        opcode::STX if insn.code & opcode::MODE_MASK == opcode::ATOMIC => {
            let address = at(dst, state);
            let sum = state.read(address, bytes).wrapping_add(state.registers[src]);
            state.write(address, bytes, sum);
        }
        opcode::STX => state.write(at(dst, state), bytes, state.registers[src]),
        _ => panic!("an instruction the emitter does not make: {insn:?}"),
    }
}
