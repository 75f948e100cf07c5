//! Register allocation: linear scan over lives with holes.
//!
//! Values are taken in the order in which they begin. Each gets a register that is free all through its life, one that saves a move where
//! possible; values that live across a call find r0 to r5 taken there. Where none is free, the value that is used least for its
//! length goes to the stack ([`super::spill`]) and everything is done again.

use super::EmitError;
use super::intervals::{Intervals, Life, Range};
use super::machine::{ALLOCATABLE, Code, Inst, Register};
use super::spill;

/// Each round puts at least one value on the stack, and what takes its place cannot be spilled again; far fewer are needed.
const ROUNDS: usize = 64;

/// Gives every virtual register one of the machine.
pub(super) fn allocate(code: &mut Code) -> Result<(), EmitError> {
    let mut short_lived = vec![false; code.registers as usize];
    for _ in 0..ROUNDS {
        let intervals = Intervals::of(code);
        let (given, spilled) = Allocation::new(&intervals, &short_lived).run();
        if spilled.is_empty() {
            apply(code, &given);
            return Ok(());
        }
        spill::spill(code, &spilled);
        short_lived.resize(code.registers as usize, true);
    }
    Err(EmitError::Registers)
}

/// Order of preference for a value without a better reason: those that others ask for by name come last.
const PREFERENCE: [u8; ALLOCATABLE] = [0, 5, 4, 3, 2, 1, 6, 7, 8, 9];

/// One machine register: what it is taken by, in order; `None` is the machine itself.
type Taken = Vec<(Range, Option<usize>)>;

struct Allocation<'a> {
    intervals: &'a Intervals,
    /// Values that stand in for spilled ones: they are never spilled.
    short_lived: &'a [bool],
    taken: Vec<Taken>,
    given: Vec<Option<u8>>,
    spilled: Vec<usize>,
}

impl<'a> Allocation<'a> {
    fn new(intervals: &'a Intervals, short_lived: &'a [bool]) -> Self {
        let taken =
            intervals.machine.iter().map(|ranges| ranges.iter().map(|range| (*range, None)).collect()).collect();
        Self { intervals, short_lived, taken, given: vec![None; intervals.lives.len()], spilled: Vec::new() }
    }

    fn run(mut self) -> (Vec<Option<u8>>, Vec<usize>) {
        let mut order: Vec<(u32, usize)> = self
            .intervals
            .lives
            .iter()
            .enumerate()
            .filter_map(|(index, life)| Some((life.ranges.first()?.0, index)))
            .collect();
        order.sort_unstable();
        for (_, index) in order {
            self.place(index);
        }
        (self.given, self.spilled)
    }

    fn place(&mut self, index: usize) {
        let Some(life) = self.intervals.lives.get(index) else { return };
        let near = life.moves.iter().filter_map(|other| self.register_of(*other));
        let wanted = near.chain(life.moves.iter().flat_map(|other| self.wanted_by(*other)));
        let free = wanted.chain(PREFERENCE).find(|register| self.is_free(*register, life));
        match free {
            Some(register) => self.give(index, life, register),
            None => self.make_room(index, life),
        }
    }

    fn register_of(&self, register: Register) -> Option<u8> {
        match register.virtual_index() {
            Some(index) => self.given.get(index).copied().flatten(),
            None => Some(register.0 as u8),
        }
    }

    /// The registers that a value without one would like best.
    fn wanted_by(&self, register: Register) -> impl Iterator<Item = u8> {
        let open = register.virtual_index().filter(|index| self.given.get(*index) == Some(&None));
        let life = open.and_then(|index| self.intervals.lives.get(index));
        life.into_iter().flat_map(|life| life.moves.iter().filter_map(|other| self.register_of(*other)))
    }

    fn is_free(&self, register: u8, life: &Life) -> bool {
        self.conflicts(register, life).next().is_none()
    }

    fn conflicts<'b>(&'b self, register: u8, life: &'b Life) -> impl Iterator<Item = Option<usize>> + 'b {
        let taken = self.taken.get(register as usize).map(Vec::as_slice).unwrap_or_default();
        life.ranges.iter().flat_map(move |(start, end)| {
            let first = taken.partition_point(|((_, other_end), _)| other_end <= start);
            let rest = taken.get(first..).unwrap_or_default();
            rest.iter().take_while(move |((other_start, _), _)| other_start < end).map(|(_, owner)| *owner)
        })
    }

    fn give(&mut self, index: usize, life: &Life, register: u8) {
        if let Some(taken) = self.taken.get_mut(register as usize) {
            for range in &life.ranges {
                let at = taken.partition_point(|(other, _)| other.0 < range.0);
                taken.insert(at, (*range, Some(index)));
            }
        }
        if let Some(given) = self.given.get_mut(index) {
            *given = Some(register);
        }
    }

    /// How much it costs to have a value on the stack: its uses, spread over its length.
    fn cost(&self, index: usize) -> f32 {
        if self.short_lived.get(index).copied().unwrap_or(false) {
            return f32::INFINITY;
        }
        let Some(life) = self.intervals.lives.get(index) else { return 0.0 };
        let length: u32 = life.ranges.iter().map(|(start, end)| end - start).sum();
        life.uses / length.max(1) as f32
    }

    /// Spills the cheapest of the values that stand in one register's way, or the value itself.
    fn make_room(&mut self, index: usize, life: &Life) {
        let mut best: Option<(f32, u8, Vec<usize>)> = None;
        for register in PREFERENCE {
            let Some(mut owners) = self.conflicts(register, life).collect::<Option<Vec<usize>>>() else { continue };
            owners.sort_unstable();
            owners.dedup();
            let cost = owners.iter().map(|owner| self.cost(*owner)).sum();
            if best.as_ref().is_none_or(|(lowest, ..)| cost < *lowest) {
                best = Some((cost, register, owners));
            }
        }
        match best {
            Some((cost, register, owners)) if cost < self.cost(index) => {
                if let Some(taken) = self.taken.get_mut(register as usize) {
                    taken.retain(|(_, owner)| owner.is_none_or(|owner| !owners.contains(&owner)));
                }
                self.spilled.extend(owners);
                self.give(index, life, register);
            }
            _ => self.spilled.push(index),
        }
    }
}

/// Writes the given registers into the code and drops moves of a register to itself.
fn apply(code: &mut Code, given: &[Option<u8>]) {
    let machine = |register: &mut Register| {
        if let Some(index) = register.virtual_index() {
            *register = Register(u32::from(given.get(index).copied().flatten().unwrap_or_default()));
        }
    };
    for block in &mut code.blocks {
        for (inst, _) in &mut block.insts {
            inst.for_each_use_mut(machine);
            inst.def_mut().into_iter().for_each(machine);
        }
        block.end.for_each_use_mut(machine);
        block.insts.retain(|(inst, _)| !matches!(inst, Inst::Move { dst, src } if dst == src));
    }
}
