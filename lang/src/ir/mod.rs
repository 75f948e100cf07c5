//! The compiler's low-level form: functions of basic blocks over virtual registers.
//!
//! `lower` makes it, the passes improve it, `emit` turns it into instructions. Virtual registers are 64 bits wide and may be assigned
//! more than once; memory is reached only by loads and stores with constant offsets. Rules (see `verify`): every register is
//! assigned on all paths before it is read; a register that holds a pointer (context, slot, map value, ring buffer record) is
//! only copied, offset by a constant or by a bounded register, compared with zero, loaded from or stored to.

pub mod build;
mod display;
pub mod verify;
mod walk;

use bpf::helper::Helper;

use crate::span::Span;

pub use build::Builder;
pub(crate) use walk::Once;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(
    /// A virtual register.
    VReg, "v");
id!(
    /// A basic block.
    BlockId, "bb");
id!(
    /// A piece of the 512-byte stack.
    SlotId, "slot");
id!(
    /// A BPF map of the compiled program, an index into [`crate::compiled::Compiled::maps`].
    MapRef, "map");

id!(
    /// A function of a program: 0 is where the program starts, the others are called back by helpers.
    FunctionId, "fn");

/// One function of a BPF program before register allocation.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// The first block is the entry.
    pub blocks: Vec<Block>,
    /// How many virtual registers there are.
    pub vregs: u32,
    /// The stack slots.
    pub slots: Vec<Slot>,
}

/// Bytes on the stack. Alignment is 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// In bytes.
    pub size: u32,
}

/// Straight-line code and how it ends.
#[derive(Clone, Debug)]
pub struct Block {
    /// In order, each with the place in the script it comes from.
    pub insts: Vec<(Inst, Span)>,
    /// How it ends.
    pub term: Term,
    /// Where the terminator comes from.
    pub term_span: Span,
}

/// A register or a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A register's value.
    Reg(VReg),
    /// A constant.
    Imm(i64),
}

impl From<VReg> for Operand {
    fn from(register: VReg) -> Self {
        Operand::Reg(register)
    }
}

impl From<i64> for Operand {
    fn from(value: i64) -> Self {
        Operand::Imm(value)
    }
}

/// Bytes of a load or store: 1, 2, 4 or 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// 1
    B1,
    /// 2
    B2,
    /// 4
    B4,
    /// 8
    B8,
}

impl Width {
    /// The width of so many bytes, where there is one.
    pub fn from_bytes(bytes: u32) -> Option<Self> {
        match bytes {
            1 => Some(Width::B1),
            2 => Some(Width::B2),
            4 => Some(Width::B4),
            8 => Some(Width::B8),
            _ => None,
        }
    }

    /// In bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Width::B1 => 1,
            Width::B2 => 2,
            Width::B4 => 4,
            Width::B8 => 8,
        }
    }

    /// In bits.
    pub fn bits(self) -> u32 {
        self.bytes() * 8
    }
}

/// Arithmetic on 64 bits. Division and remainder are unsigned as the machine's: by zero gives 0 and the dividend; `lower` builds
/// signed division and bpftrace's rules out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Op {
    Add,
    Sub,
    Mul,
    UDiv,
    UMod,
    And,
    Or,
    Xor,
    Shl,
    LShr,
    AShr,
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Cmp {
    Eq,
    Ne,
    ULt,
    ULe,
    UGt,
    UGe,
    SLt,
    SLe,
    SGt,
    SGe,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each form says what its fields are")]
pub enum Inst {
    /// `dst = value`
    Copy { dst: VReg, value: Operand },
    /// `dst = a op b`
    Bin { dst: VReg, op: Op, a: Operand, b: Operand },
    /// `dst` = the low `width` of `value`, sign or zero extended to 64 bits.
    Extend { dst: VReg, value: Operand, width: Width, signed: bool },
    /// `dst` = `value` with its low `width` bytes swapped and zero extended.
    Swap { dst: VReg, value: VReg, width: Width },
    /// `dst = (a cmp b) as u64`
    Set { dst: VReg, cmp: Cmp, a: Operand, b: Operand },
    /// `dst = *(width *)(base + offset)`, sign or zero extended.
    Load { dst: VReg, base: Base, offset: i32, width: Width, signed: bool },
    /// `*(width *)(base + offset) = value`
    Store { base: Base, offset: i32, width: Width, value: Operand },
    /// `*(width *)(base + offset) += value`, atomically; width is 4 or 8.
    AtomicAdd { base: Base, offset: i32, width: Width, value: VReg },
    /// `dst = slot + offset`
    SlotAddr { dst: VReg, slot: SlotId, offset: i32 },
    /// `dst` = the map itself, as helpers want it.
    MapAddr { dst: VReg, map: MapRef },
    /// `dst` = the address of byte `offset` of the only value of an array map (kernel 5.2).
    MapValueAddr { dst: VReg, map: MapRef, offset: u32 },
    /// `dst` = the program's context.
    Context { dst: VReg },
    /// `dst` = argument `index`, counted from 0, of a function that a helper calls back.
    Argument { dst: VReg, index: u8 },
    /// `dst` = the address of another function of the program, for a helper that calls it back (kernel 5.13).
    FunctionAddr { dst: VReg, function: FunctionId },
    /// `dst = helper(args)`; at most five arguments.
    Call { dst: Option<VReg>, helper: Helper, args: Vec<Operand> },
    /// `dst = function(args)`, a function of the kernel by its number among the kernel's types; at most five arguments (kernel 5.13).
    CallKernel { dst: VReg, function: u32, args: Vec<Operand> },
}

/// What a load or store is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// A register that holds a pointer.
    Reg(VReg),
    /// A stack slot.
    Slot(SlotId),
}

impl From<VReg> for Base {
    fn from(register: VReg) -> Self {
        Base::Reg(register)
    }
}

impl From<SlotId> for Base {
    fn from(slot: SlotId) -> Self {
        Base::Slot(slot)
    }
}

/// How a block ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each form says what its fields are")]
pub enum Term {
    /// Go there.
    Jump(BlockId),
    /// Go to `then` where the comparison holds, else to `otherwise`.
    Branch { cmp: Cmp, a: Operand, b: Operand, then: BlockId, otherwise: BlockId },
    /// Leave the program with this result.
    Exit(Operand),
}
