//! The machine's instructions before registers are allocated.
//!
//! Two-address arithmetic and helper calls that read r1 to r5 and write r0, as the machine has them, but over any number of
//! registers, with labels for blocks and numbers for stack slots. Blocks are in the order they will have in the program.

use bpf::helper::Helper;
use bpf::insn::Reg;
use bpf::opcode::{Alu, Jump, Size};

use crate::ir::{FunctionId, MapRef, Slot, SlotId};
use crate::span::Span;

/// A register: below [`FIRST_VIRTUAL`] one of the machine, else one that still has to be given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Register(pub u32);

/// The number of the first virtual register.
pub(super) const FIRST_VIRTUAL: u32 = 16;
/// The registers that values can live in, r0 to r9.
pub(super) const ALLOCATABLE: usize = 10;
/// The registers lost in a call, r0 to r5.
pub(super) const CALL_CLOBBERED: usize = 6;

impl Register {
    /// The register of results.
    pub const RESULT: Register = Register(0);
    /// The register that holds the context when the program starts.
    pub const CONTEXT: Register = Register(1);

    /// The register of argument `index`, counted from 0.
    pub fn argument(index: usize) -> Self {
        Register(index as u32 + 1)
    }

    /// Its index among the virtual registers, if it is one.
    pub fn virtual_index(self) -> Option<usize> {
        self.0.checked_sub(FIRST_VIRTUAL).map(|index| index as usize)
    }

    /// As the machine has it; called once all are allocated.
    pub fn machine(self) -> Reg {
        debug_assert!(self.0 < FIRST_VIRTUAL, "a virtual register is left");
        Reg(self.0 as u8)
    }
}

/// A register or a constant that fits an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Reg(Register),
    Imm(i32),
}

/// What memory is reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Reg(Register),
    Slot(SlotId),
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inst {
    /// `dst = src`
    Move { dst: Register, src: Register },
    /// `dst` = the low 32 bits of `src`.
    MoveLow { dst: Register, src: Register },
    /// `dst = value`
    Const { dst: Register, value: i64 },
    /// `dst` = a map, or the address of a byte of its only value.
    Map { dst: Register, map: MapRef, value_offset: Option<u32> },
    /// `dst` = the address of another function of the program.
    Function { dst: Register, function: FunctionId },
    /// `dst` = the address of byte `offset` of a slot.
    Frame { dst: Register, slot: SlotId, offset: i32 },
    /// `dst op= value` on 64 bits; never a move.
    Alu { op: Alu, dst: Register, value: Value },
    /// The low `size` bytes of `dst` in reverse order, zero extended.
    Swap { dst: Register, size: Size },
    /// `dst = *(size *)(place + offset)`, zero extended.
    Load { dst: Register, place: Place, offset: i32, size: Size },
    /// `*(size *)(place + offset) = value`
    Store { place: Place, offset: i32, size: Size, value: Value },
    /// `*(size *)(place + offset) += value`, atomically.
    AtomicAdd { place: Place, offset: i32, size: Size, value: Register },
    /// `r0 = helper(r1, .. )`
    Call { helper: Helper },
    /// `r0 = function(r1, .. )`, a function of the kernel with so many arguments.
    CallKernel { function: u32, args: usize },
}

/// Where a block goes; targets are labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Jump(Label),
    Branch {
        op: Jump,
        a: Register,
        b: Value,
        then: Label,
        otherwise: Label,
    },
    /// With r0.
    Exit,
}

/// The name of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(pub u32);

/// Straight-line code.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub label: Label,
    pub insts: Vec<(Inst, Span)>,
    pub end: End,
    pub end_span: Span,
    /// How often it is expected to run.
    pub weight: f32,
}

/// A program in the making.
#[derive(Clone, Debug)]
pub(super) struct Code {
    /// In the order of the program.
    pub blocks: Vec<Block>,
    /// How many labels there are.
    pub labels: u32,
    /// How many virtual registers there are.
    pub registers: u32,
    /// The stack slots: those of the function, then those of spilled registers, which hold 8 bytes and are read and written whole.
    pub slots: Vec<Slot>,
    /// How many slots are the function's.
    pub own_slots: usize,
}

impl Code {
    /// A new virtual register.
    pub fn fresh(&mut self) -> Register {
        self.registers += 1;
        Register(FIRST_VIRTUAL + self.registers - 1)
    }

    /// The index of each label's block.
    pub fn positions(&self) -> Vec<usize> {
        let mut positions = vec![usize::MAX; self.labels as usize];
        for (index, block) in self.blocks.iter().enumerate() {
            if let Some(position) = positions.get_mut(block.label.0 as usize) {
                *position = index;
            }
        }
        positions
    }
}

/// Leads jumps past blocks that only jump on, and drops those.
pub(super) fn drop_empty(code: &mut Code) {
    let mut aliases: Vec<Label> = (0..code.labels).map(Label).collect();
    for block in &code.blocks {
        if let (End::Jump(target), true) = (block.end, block.insts.is_empty())
            && let Some(alias) = aliases.get_mut(block.label.0 as usize)
        {
            *alias = target;
        }
    }
    let resolve = |label: Label| {
        let next = |label: &Label| aliases.get(label.0 as usize).copied().filter(|next| next != label);
        // The bound is for blocks that jump in a circle.
        std::iter::successors(Some(label), next).take(aliases.len()).last().unwrap_or(label)
    };
    for block in &mut code.blocks {
        match &mut block.end {
            End::Jump(target) => *target = resolve(*target),
            End::Branch { then, otherwise, .. } => {
                *then = resolve(*then);
                *otherwise = resolve(*otherwise);
            }
            End::Exit => {}
        }
    }
    let second = code.blocks.get(1).map(|block| block.label);
    let mut index = 0;
    code.blocks.retain(|block| {
        index += 1;
        let first_falls_through = index > 1 || block.end.targets().next() == second;
        let jumps_on = matches!(block.end, End::Jump(target) if target != block.label);
        !(block.insts.is_empty() && jumps_on && first_falls_through)
    });
}

/// Lets a block that leaves as the next one does run on into it.
pub(super) fn share_exits(code: &mut Code) {
    for index in 1..code.blocks.len() {
        let [own, next, ..] = code.blocks.get_mut(index - 1..).unwrap_or_default() else { continue };
        let (Some((last, _)), [(first, _)]) = (own.insts.last(), next.insts.as_slice()) else { continue };
        if own.end == End::Exit && next.end == End::Exit && last == first {
            own.insts.pop();
            own.end = End::Jump(next.label);
        }
    }
}

impl Inst {
    /// The register it assigns, beside those a call clobbers.
    pub fn def(&self) -> Option<Register> {
        match *self {
            Inst::Move { dst, .. }
            | Inst::MoveLow { dst, .. }
            | Inst::Const { dst, .. }
            | Inst::Map { dst, .. }
            | Inst::Function { dst, .. }
            | Inst::Frame { dst, .. }
            | Inst::Alu { dst, .. }
            | Inst::Swap { dst, .. }
            | Inst::Load { dst, .. } => Some(dst),
            Inst::Call { .. } | Inst::CallKernel { .. } => Some(Register::RESULT),
            Inst::Store { .. } | Inst::AtomicAdd { .. } => None,
        }
    }

    /// Calls `visit` for every register it reads.
    pub fn for_each_use(&self, mut visit: impl FnMut(Register)) {
        let mut copy = *self;
        copy.for_each_use_mut(|register| visit(*register));
        match *self {
            Inst::Alu { dst, .. } | Inst::Swap { dst, .. } => visit(dst),
            Inst::Call { helper } => (0..helper.arg_count()).map(Register::argument).for_each(visit),
            Inst::CallKernel { args, .. } => (0..args).map(Register::argument).for_each(visit),
            _ => {}
        }
    }

    /// Calls `visit` for every register it reads and does not write.
    pub fn for_each_use_mut(&mut self, mut visit: impl FnMut(&mut Register)) {
        match self {
            Inst::Move { src, .. } | Inst::MoveLow { src, .. } => visit(src),
            Inst::Alu { value: Value::Reg(value), .. } => visit(value),
            Inst::Load { place: Place::Reg(base), .. } => visit(base),
            Inst::Store { place, value, .. } => {
                if let Place::Reg(base) = place {
                    visit(base);
                }
                if let Value::Reg(value) = value {
                    visit(value);
                }
            }
            Inst::AtomicAdd { place, value, .. } => {
                if let Place::Reg(base) = place {
                    visit(base);
                }
                visit(value);
            }
            _ => {}
        }
    }

    /// The register it assigns, to be changed; also read by arithmetic.
    pub fn def_mut(&mut self) -> Option<&mut Register> {
        match self {
            Inst::Move { dst, .. }
            | Inst::MoveLow { dst, .. }
            | Inst::Const { dst, .. }
            | Inst::Map { dst, .. }
            | Inst::Function { dst, .. }
            | Inst::Frame { dst, .. }
            | Inst::Alu { dst, .. }
            | Inst::Swap { dst, .. }
            | Inst::Load { dst, .. } => Some(dst),
            Inst::Call { .. } | Inst::CallKernel { .. } | Inst::Store { .. } | Inst::AtomicAdd { .. } => None,
        }
    }

    /// Whether it reads the register it assigns.
    pub fn updates(&self) -> bool {
        matches!(self, Inst::Alu { .. } | Inst::Swap { .. })
    }
}

impl End {
    /// The labels it may go to.
    pub fn targets(&self) -> impl Iterator<Item = Label> + use<> {
        let (first, second) = match *self {
            End::Jump(target) => (Some(target), None),
            End::Branch { then, otherwise, .. } => (Some(then), Some(otherwise)),
            End::Exit => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// Calls `visit` for every register it reads.
    pub fn for_each_use(&self, mut visit: impl FnMut(Register)) {
        let mut copy = *self;
        copy.for_each_use_mut(|register| visit(*register));
        if matches!(self, End::Exit) {
            visit(Register::RESULT);
        }
    }

    /// Calls `visit` for every register it names.
    pub fn for_each_use_mut(&mut self, mut visit: impl FnMut(&mut Register)) {
        if let End::Branch { a, b, .. } = self {
            visit(a);
            if let Value::Reg(b) = b {
                visit(b);
            }
        }
    }
}
