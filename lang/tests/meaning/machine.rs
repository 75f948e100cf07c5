//! A BPF machine with one CPU: instructions, memory that only what it was given can be reached of, and maps.
//!
//! An address is a region's number in its high half and an offset in its low half, so that any stray access panics.

use bpf::helper::Helper;
use bpf::insn::Insn;
use bpf::map::MapType;
use bpf::opcode::{self, Alu, Jump, Size};
use lang::compiled::{Compiled, Program};

use crate::arithmetic::{alu, holds};
use crate::maps::Map;

const STACK_BYTES: u64 = 512;
const STEPS: usize = 1_000_000;
/// What the address of a map itself starts with; nothing can be read there.
const MAP: u64 = 0x7ab << 48;
/// What the address of a function starts with.
const FUNCTION: u64 = 0x7ac << 48;

/// The machine and all it remembers from one program to the next.
pub struct Machine {
    regions: Vec<Vec<u8>>,
    pub maps: Vec<Map>,
    /// Ring buffer records that were submitted.
    pub records: Vec<Vec<u8>>,
    /// A record that was reserved and not yet submitted.
    reserved: Option<u64>,
    /// Whether the ring buffer has no room.
    pub full: bool,
    /// What `nsecs` says next.
    pub clock: u64,
}

impl Machine {
    /// A machine with the maps of a script, empty.
    pub fn new(compiled: &Compiled) -> Self {
        let mut machine =
            Self { regions: vec![], maps: vec![], records: vec![], reserved: None, full: false, clock: 1_000_000_000 };
        for definition in &compiled.maps {
            let array = matches!(definition.kind, MapType::Array | MapType::PercpuArray);
            let elements = if array { definition.max_entries } else { 0 };
            let mut map = Map::new(definition);
            for index in 0..elements {
                let at = machine.add(vec![0; definition.value_size as usize]);
                map.elements.insert(index.to_ne_bytes().to_vec(), at);
            }
            machine.maps.push(map);
        }
        machine
    }

    /// New memory with these bytes; its address.
    pub fn add(&mut self, bytes: Vec<u8>) -> u64 {
        self.regions.push(bytes);
        (self.regions.len() as u64) << 32
    }

    fn region(&mut self, address: u64, bytes: u32) -> &mut [u8] {
        let (region, offset) = ((address >> 32) as usize, (address & 0xffff_ffff) as usize);
        let memory = region.checked_sub(1).and_then(|region| self.regions.get_mut(region));
        memory
            .and_then(|memory| memory.get_mut(offset..offset + bytes as usize))
            .unwrap_or_else(|| panic!("{bytes} bytes at {address:#x} are not the program's"))
    }

    /// Whether so many bytes can be read there.
    pub fn is_readable(&self, address: u64, bytes: u32) -> bool {
        let (region, offset) = ((address >> 32) as usize, (address & 0xffff_ffff) as usize);
        let memory = region.checked_sub(1).and_then(|region| self.regions.get(region));
        memory.is_some_and(|memory| memory.get(offset..offset + bytes as usize).is_some())
    }

    pub fn bytes(&mut self, address: u64, bytes: u32) -> Vec<u8> {
        self.region(address, bytes).to_vec()
    }

    pub fn put(&mut self, address: u64, bytes: &[u8]) {
        self.region(address, bytes.len() as u32).copy_from_slice(bytes);
    }

    fn read(&mut self, address: u64, bytes: u32) -> u64 {
        self.region(address, bytes).iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    fn write(&mut self, address: u64, bytes: u32, value: u64) {
        let value = value.to_le_bytes();
        self.put(address, &value[..bytes as usize]);
    }

    /// The map an argument of a helper names.
    pub fn map_index(&self, address: u64) -> usize {
        address.checked_sub(MAP).expect("the address of a map") as usize
    }

    /// Memory for a ring buffer record, or null.
    pub fn reserve(&mut self, bytes: u64) -> u64 {
        assert_eq!(self.reserved, None, "one record at a time");
        if self.full {
            return 0;
        }
        let record = self.add(vec![0xee; bytes as usize]);
        self.reserved = Some(record);
        record
    }

    pub fn submit(&mut self, record: u64) {
        assert_eq!(self.reserved.take(), Some(record), "what is submitted was reserved");
        self.records.push(self.regions[(record >> 32) as usize - 1].clone());
    }

    /// Runs a program to its end.
    pub fn run(&mut self, program: &Program, context: &[u8]) -> u64 {
        let insns = self.relocated(program);
        let context = self.add(context.to_vec());
        let result = self.function(&insns, 0, &[context]);
        assert_eq!(self.reserved, None, "no record is left reserved");
        result
    }

    /// Runs one function of a program to its end, on a stack of its own.
    fn function(&mut self, insns: &[Insn], start: usize, args: &[u64]) -> u64 {
        let stack = self.add(vec![0xaa; STACK_BYTES as usize]);
        let mut registers = [0x5a5a_5a5a_5a5a_5a5a; 11];
        registers[1..=args.len()].copy_from_slice(args);
        registers[10] = stack + STACK_BYTES;
        let mut at = start;
        for _ in 0..STEPS {
            let insn = insns[at];
            at += 1;
            if insn.is_load_imm64() && insn.src == opcode::PSEUDO_FUNCTION {
                let target = at.checked_add_signed(insn.imm as isize).expect("a function of the program");
                registers[insn.dst as usize] = FUNCTION + target as u64;
                at += 1;
                continue;
            }
            if insn.is_load_imm64() {
                registers[insn.dst as usize] = u64::from(insns[at].imm as u32) << 32 | u64::from(insn.imm as u32);
                at += 1;
                continue;
            }
            let class = insn.code & opcode::CLASS_MASK;
            match Jump::of(insn.code).filter(|_| class == opcode::JMP) {
                Some(Jump::Exit) => return registers[0],
                Some(Jump::Call) => self.call(insns, insn, &mut registers),
                Some(jump) => {
                    if holds(jump, registers[insn.dst as usize], source(insn, &registers)) {
                        at = at.checked_add_signed(insn.off.into()).expect("a jump before the start");
                    }
                }
                None => self.step(insn, &mut registers),
            }
        }
        panic!("the program does not end\n{}", bpf::disasm::disassemble(insns));
    }

    fn relocated(&self, program: &Program) -> Vec<Insn> {
        let mut insns = program.insns.clone();
        for relocation in &program.relocations {
            let map = relocation.map.0;
            let address = match relocation.value_offset {
                None => MAP + u64::from(map),
                Some(offset) => self.maps[map as usize].elements[&0u32.to_ne_bytes().to_vec()] + u64::from(offset),
            };
            insns[relocation.insn].imm = address as i32;
            insns[relocation.insn].src = 0;
            insns[relocation.insn + 1].imm = (address >> 32) as i32;
        }
        insns
    }

    fn call(&mut self, insns: &[Insn], insn: Insn, registers: &mut [u64; 11]) {
        let helper = Helper::from_id(insn.imm).expect("a known helper");
        let args = registers[1..=helper.arg_count()].to_vec();
        registers[0] = match (helper, args.as_slice()) {
            (Helper::Loop, [count, turn, frame, 0]) => {
                let turns = (0..*count).position(|index| self.turn(insns, *turn, &[index, *frame]));
                turns.map_or(*count, |last| last as u64 + 1)
            }
            (Helper::ForEachMapElem, [map, turn, frame, 0]) => {
                let elements = self.maps[self.map_index(*map)].elements.clone();
                let turns = elements.len();
                let last = elements.into_iter().position(|(key, value)| {
                    let key = self.add(key);
                    self.turn(insns, *turn, &[*map, key, value, *frame])
                });
                last.map_or(turns, |last| last + 1) as u64
            }
            _ => crate::kernel::call(self, helper, &args),
        };
        for (index, register) in registers[1..=5].iter_mut().enumerate() {
            *register = 0x6b6b_0000 + index as u64;
        }
    }

    /// Calls a function back; whether it wants no more turns.
    fn turn(&mut self, insns: &[Insn], turn: u64, args: &[u64]) -> bool {
        let start = turn.checked_sub(FUNCTION).expect("the address of a function") as usize;
        match self.function(insns, start, args) {
            0 => false,
            1 => true,
            other => panic!("a function that is called back leaves with {other}"),
        }
    }

    fn step(&mut self, insn: Insn, registers: &mut [u64; 11]) {
        let (dst, src) = (insn.dst as usize, insn.src as usize);
        let bytes = Size::of(insn.code).bytes();
        let at = |register: usize| registers[register].wrapping_add(insn.off as i64 as u64);
        match insn.code & opcode::CLASS_MASK {
            opcode::ALU64 => {
                let (a, b) = (registers[dst], source(insn, registers));
                registers[dst] = alu(Alu::of(insn.code).expect("an operation"), a, b);
            }
            opcode::ALU if Alu::of(insn.code) == Some(Alu::Mov) => {
                registers[dst] = source(insn, registers) & 0xffff_ffff;
            }
            opcode::ALU if Alu::of(insn.code) == Some(Alu::End) => {
                registers[dst] = registers[dst].swap_bytes() >> (64 - insn.imm);
            }
            opcode::LDX => {
                let address = at(src);
                registers[dst] = self.read(address, bytes);
            }
            opcode::ST => self.write(at(dst), bytes, i64::from(insn.imm) as u64),
            opcode::STX if insn.code & opcode::MODE_MASK == opcode::ATOMIC => {
                let address = at(dst);
                let sum = self.read(address, bytes).wrapping_add(registers[src]);
                self.write(address, bytes, sum);
            }
            opcode::STX => self.write(at(dst), bytes, registers[src]),
            _ => panic!("an instruction the emitter does not make: {insn:?}"),
        }
    }
}

fn source(insn: Insn, registers: &[u64; 11]) -> u64 {
    if insn.code & opcode::FROM_REG != 0 { registers[insn.src as usize] } else { i64::from(insn.imm) as u64 }
}
