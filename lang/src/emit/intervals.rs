//! Where each register is live: the ground on which registers are given out.
//!
//! Every instruction has two points, `2i` where it reads and `2i + 1` where it writes, so that a value that is read last and one that is
//! written at the same instruction may share a register. A register's life is a list of half-open ranges of points with holes
//! between them.

use smallvec::SmallVec;

use super::machine::{ALLOCATABLE, CALL_CLOBBERED, Code, FIRST_VIRTUAL, Inst, Register};
use crate::bits::BitSet;

/// A half-open range of points.
pub(super) type Range = (u32, u32);

/// The life of one virtual register.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    /// In order, without overlap.
    pub ranges: SmallVec<[Range; 2]>,
    /// Reads and writes, each counted by how often its loop may run.
    pub uses: f32,
    /// Registers it is moved from or to.
    pub moves: SmallVec<[Register; 4]>,
}

/// The lives of all registers of a program.
#[derive(Debug)]
pub(super) struct Intervals {
    /// By index of the virtual register.
    pub lives: Vec<Life>,
    /// By machine register: where it is taken by arguments, results and calls.
    pub machine: Vec<SmallVec<[Range; 2]>>,
}

impl Intervals {
    /// Of a program over virtual registers.
    pub fn of(code: &Code) -> Self {
        let live_out = live_out(code);
        let mut scan = Scan {
            open: vec![None; code.registers as usize + FIRST_VIRTUAL as usize],
            intervals: Intervals {
                lives: (0..code.registers).map(|_| Life::default()).collect(),
                machine: vec![SmallVec::new(); ALLOCATABLE],
            },
        };
        let mut end = 2 * code.blocks.iter().map(|block| block.insts.len() as u32 + 1).sum::<u32>();
        for (block, live) in code.blocks.iter().zip(live_out).rev() {
            let weight = block.weight;
            let start = end - 2 * (block.insts.len() as u32 + 1);
            live.iter().for_each(|index| scan.open(Register(FIRST_VIRTUAL + index as u32), end));
            block.end.for_each_use(|register| scan.read(register, end - 2, weight));
            for (index, (inst, _)) in block.insts.iter().enumerate().rev() {
                scan.inst(inst, start + 2 * index as u32, weight);
            }
            scan.close_all(start);
            end = start;
        }
        scan.finish()
    }
}

/// The state of one pass from the end of the program to its start.
struct Scan {
    /// For each register that is live: where the range under way ends.
    open: Vec<Option<u32>>,
    intervals: Intervals,
}

impl Scan {
    fn open(&mut self, register: Register, end: u32) {
        if let Some(open) = self.open.get_mut(register.0 as usize) {
            open.get_or_insert(end);
        }
    }

    fn ranges(&mut self, register: Register) -> Option<&mut SmallVec<[Range; 2]>> {
        match register.virtual_index() {
            Some(index) => self.intervals.lives.get_mut(index).map(|life| &mut life.ranges),
            None => self.intervals.machine.get_mut(register.0 as usize),
        }
    }

    /// Adds a range in front of those found so far; they are kept in reverse.
    fn add(&mut self, register: Register, start: u32, end: u32) {
        let Some(ranges) = self.ranges(register) else { return };
        match ranges.last_mut() {
            Some(next) if next.0 <= end => next.0 = start,
            _ => ranges.push((start, end)),
        }
    }

    fn count(&mut self, register: Register, weight: f32) {
        if let Some(life) = register.virtual_index().and_then(|index| self.intervals.lives.get_mut(index)) {
            life.uses += weight;
        }
    }

    fn read(&mut self, register: Register, at: u32, weight: f32) {
        self.open(register, at + 1);
        self.count(register, weight);
    }

    fn write(&mut self, register: Register, at: u32, weight: f32) {
        let end = self.open.get_mut(register.0 as usize).and_then(Option::take);
        self.add(register, at + 1, end.unwrap_or(at + 2));
        self.count(register, weight);
    }

    fn inst(&mut self, inst: &Inst, at: u32, weight: f32) {
        if matches!(inst, Inst::Call { .. } | Inst::CallKernel { .. }) {
            (0..CALL_CLOBBERED as u32).for_each(|number| self.write(Register(number), at, 0.0));
        } else if let Some(dst) = inst.def() {
            self.write(dst, at, weight);
        }
        inst.for_each_use(|register| self.read(register, at, weight));
        if let Inst::Move { dst, src } = *inst {
            for (register, other) in [(dst, src), (src, dst)] {
                if let Some(life) = register.virtual_index().and_then(|index| self.intervals.lives.get_mut(index)) {
                    life.moves.push(other);
                }
            }
        }
    }

    fn close_all(&mut self, start: u32) {
        for number in 0..self.open.len() {
            if let Some(end) = self.open.get_mut(number).and_then(Option::take) {
                self.add(Register(number as u32), start, end);
            }
        }
    }

    fn finish(mut self) -> Intervals {
        let lives = self.intervals.lives.iter_mut().map(|life| &mut life.ranges);
        lives.chain(&mut self.intervals.machine).for_each(|ranges| ranges.reverse());
        self.intervals
    }
}

/// The virtual registers that are live where each block ends.
fn live_out(code: &Code) -> Vec<BitSet> {
    let positions = code.positions();
    let registers = code.registers as usize;
    let mut reads = vec![BitSet::new(registers); code.blocks.len()];
    let mut writes = reads.clone();
    for ((block, reads), writes) in code.blocks.iter().zip(&mut reads).zip(&mut writes) {
        for (inst, _) in &block.insts {
            inst.for_each_use(|register| first_read(register, reads, writes));
            if let Some(index) = inst.def().and_then(Register::virtual_index) {
                writes.insert(index);
            }
        }
        block.end.for_each_use(|register| first_read(register, reads, writes));
    }
    let mut live_in = reads.clone();
    let mut live_out = vec![BitSet::new(registers); code.blocks.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for (index, block) in code.blocks.iter().enumerate().rev() {
            let Some(out) = live_out.get_mut(index) else { continue };
            for target in block.end.targets() {
                let Some(entry) = positions.get(target.0 as usize).and_then(|at| live_in.get(*at)) else { continue };
                changed |= out.union(entry);
            }
            if let (Some(entry), Some(writes)) = (live_in.get_mut(index), writes.get(index)) {
                entry.union_without(out, writes);
            }
        }
    }
    live_out
}

fn first_read(register: Register, reads: &mut BitSet, writes: &BitSet) {
    if let Some(index) = register.virtual_index()
        && !writes.contains(index)
    {
        reads.insert(index);
    }
}
