//! Where values live while a program runs: variables in registers or working memory, temporaries on the stack while there is room,
//! else in scratch.
//!
//! Scratch is a per-CPU array with one element for each program that needs it: a program does not interrupt itself, but another may.
//! Of what a program needs more than the kernel gives to each CPU, there is an array with an element for each program and CPU.

use bpf::helper::Helper;

use super::Lowerer;
use super::memory::Place;
use crate::hir::{Map, Var};
use crate::ir::{Base, Cmp, Operand, VReg, Width};
use crate::types::Ty;

/// The largest value kept on the stack.
const MOST_IN_SLOT: u32 = 128;
/// Bytes of stack for slots; the rest of the 512 is for registers that are spilled.
const SLOT_BUDGET: u32 = 352;
/// The same where functions are called back, which share the stack.
const NARROW_BUDGET: u32 = 96;

/// The largest element of a per-CPU map: `PCPU_MIN_UNIT_SIZE` of the kernel.
const MOST_PER_CPU: u32 = 32 << 10;

/// Where a variable is.
#[derive(Clone, Copy, Debug)]
pub enum Storage {
    /// A scalar.
    Register(VReg),
    /// Anything else.
    Memory(Place),
}

/// Working memory.
#[derive(Debug)]
pub struct Temps {
    /// In use, in the order they were taken.
    active: Vec<(Place, u32)>,
    /// To be taken again.
    free: Vec<(Place, u32)>,
    slot_bytes: u32,
    budget: u32,
    scratch: Option<VReg>,
    scratch_bytes: u32,
}

impl Default for Temps {
    fn default() -> Self {
        let (active, free) = (vec![], vec![]);
        Self { active, free, slot_bytes: 0, budget: SLOT_BUDGET, scratch: None, scratch_bytes: 0 }
    }
}

impl Temps {
    /// For a program that shares the stack with functions.
    pub fn narrow() -> Self {
        Self { budget: NARROW_BUDGET, ..Self::default() }
    }

    /// For a function that is called back: its scratch lies behind what its caller has, at the same address.
    pub fn of_function(caller: &Self, scratch: VReg) -> Self {
        Self { scratch: Some(scratch), scratch_bytes: caller.scratch_bytes, ..Self::narrow() }
    }

    /// Goes on behind what a function has taken of scratch.
    pub fn pass(&mut self, function: &Self) {
        self.scratch_bytes = function.scratch_bytes;
    }

    /// The register that holds the address of this program's scratch, if it needs any.
    pub fn scratch_register(&self) -> Option<VReg> {
        self.scratch
    }
}

impl Lowerer<'_> {
    /// Gives every variable its place.
    pub(super) fn declare_variables(&mut self) {
        let probe = self.probe;
        self.vars.clear();
        for (var, ty) in (0..).map(Var).zip(&probe.vars) {
            let storage = if probe.calls_back || probe.addressed.contains(&var) {
                Storage::Memory(self.reserve_scratch(ty.layout().size.max(8)))
            } else if ty.is_scalar() || ty.is_unknown() {
                Storage::Register(self.b.vreg())
            } else {
                Storage::Memory(self.reserve(ty.layout().size))
            };
            self.vars.push(storage);
        }
        for var in &probe.early {
            if let Some(ty) = probe.vars.get(var.0 as usize) {
                self.clear_variable(*var, ty);
            }
        }
    }

    /// Where a variable is.
    pub(super) fn variable(&mut self, var: Var) -> Storage {
        match self.vars.get(var.0 as usize) {
            Some(storage) => *storage,
            None => Storage::Register(self.b.copy(0)),
        }
    }

    /// Finds the variables by another register with the address of scratch, that of a function that is called back; where they were
    /// found before.
    pub(super) fn move_variables(&mut self, scratch: VReg) -> Vec<Storage> {
        let moved = self.vars.iter().map(|storage| match storage {
            Storage::Memory(place) => Storage::Memory(Place { base: Base::Reg(scratch), ..*place }),
            register => *register,
        });
        let moved = moved.collect();
        std::mem::replace(&mut self.vars, moved)
    }

    /// Where a variable's bytes are; `None` for one in a register.
    pub(super) fn variable_place(&mut self, var: Var) -> Option<Place> {
        match self.variable(var) {
            Storage::Memory(place) => Some(place),
            Storage::Register(_) => None,
        }
    }

    /// Working memory until the end of the statement, aligned to 8 bytes.
    pub fn temp(&mut self, bytes: u32) -> Place {
        let bytes = bytes.max(1).next_multiple_of(8);
        let fitting = self.temps.free.iter().position(|(_, size)| (bytes..=bytes * 2).contains(size));
        let (place, size) = match fitting {
            Some(index) => self.temps.free.swap_remove(index),
            None => (self.reserve(bytes), bytes),
        };
        self.temps.active.push((place, size));
        place
    }

    /// How many temporaries are in use, for [`Lowerer::release_temps`].
    pub fn temp_mark(&self) -> usize {
        self.temps.active.len()
    }

    /// Gives back the temporaries taken since the mark.
    pub fn release_temps(&mut self, mark: usize) {
        let freed = self.temps.active.split_off(mark.min(self.temps.active.len()));
        self.temps.free.extend(freed);
    }

    /// Memory for the whole program.
    fn reserve(&mut self, bytes: u32) -> Place {
        let bytes = bytes.max(1).next_multiple_of(8);
        if bytes <= MOST_IN_SLOT && self.temps.slot_bytes + bytes <= self.temps.budget {
            self.temps.slot_bytes += bytes;
            return Place { base: Base::Slot(self.b.slot(bytes)), offset: 0 };
        }
        self.reserve_scratch(bytes)
    }

    /// The register that holds the address of this program's scratch.
    pub(super) fn scratch_register(&mut self) -> VReg {
        match self.temps.scratch {
            Some(register) => register,
            None => *self.temps.scratch.insert(self.b.vreg()),
        }
    }

    /// The address of a variable that is in memory, as a number.
    pub(super) fn variable_address(&mut self, var: Var) -> Operand {
        let Some(place) = self.variable_place(var) else { return Operand::Imm(0) };
        let address = self.address(place);
        self.plain_number(address)
    }

    /// Where the kernel describes a map of the script; a number, unless the verifier is to know it as the map.
    pub fn script_map_address(&mut self, map: Map, known: bool) -> Operand {
        let Some((map, _)) = self.resources.map(map) else { return Operand::Imm(0) };
        let address = self.b.map_addr(map);
        if known { address.into() } else { self.plain_number(address) }
    }

    /// An address as a number: what an atomic operation has touched on the stack is one to the verifier.
    fn plain_number(&mut self, address: VReg) -> Operand {
        let slot = self.b.slot(8);
        self.b.store(slot, 0, Width::B8, address);
        let zero = self.b.copy(0);
        self.b.atomic_add(slot, 0, Width::B8, zero);
        self.b.load(slot, 0, Width::B8, false).into()
    }

    /// Memory for the whole program where its functions find it.
    fn reserve_scratch(&mut self, bytes: u32) -> Place {
        let bytes = bytes.max(1).next_multiple_of(8);
        let register = self.scratch_register();
        let offset = self.temps.scratch_bytes;
        self.temps.scratch_bytes += bytes;
        Place { base: Base::Reg(register), offset: offset as i32 }
    }

    /// Puts the address of this program's scratch into `register`; the program leaves if there is none, which cannot be.
    pub(super) fn find_scratch(&mut self, register: VReg) {
        let key = self.b.slot(4);
        let bytes = self.temps.scratch_bytes;
        let map = if bytes > MOST_PER_CPU {
            let (map, first) = self.resources.large_scratch(bytes, self.unit.target.cpus.max(1));
            let cpu = self.b.call(Helper::GetSmpProcessorId, &[]);
            let index = self.b.add(cpu, i64::from(first));
            self.b.store(key, 0, Width::B4, index);
            map
        } else {
            let (map, index) = self.resources.scratch(bytes);
            self.b.store(key, 0, Width::B4, i64::from(index));
            map
        };
        let (map, key) = (self.b.map_addr(map), self.b.slot_addr(key, 0));
        let found = self.b.call(Helper::MapLookupElem, &[map.into(), key.into()]);
        self.b.assign(register, found);
        let leave = self.leave;
        self.b.branch_if(Cmp::Eq, register, 0, leave);
    }

    /// Zero, as a value of any type: what a variable holds before it is assigned.
    pub(super) fn clear_variable(&mut self, var: Var, ty: &Ty) {
        match self.variable(var) {
            Storage::Register(register) => self.b.assign(register, Operand::Imm(0)),
            Storage::Memory(place) => self.zero(place, ty.layout().size),
        }
    }
}
