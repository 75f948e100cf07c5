//! Operation codes: classes, sizes, modes, arithmetic and jump operations.
//!
//! Source: Documentation/bpf/standardization/instruction-set.rst of the kernel.

/// Class: 64-bit constants.
pub const LD: u8 = 0x00;
/// Class: loads into a register.
pub const LDX: u8 = 0x01;
/// Class: stores of a constant.
pub const ST: u8 = 0x02;
/// Class: stores of a register.
pub const STX: u8 = 0x03;
/// Class: arithmetic on 32 bits.
pub const ALU: u8 = 0x04;
/// Class: jumps that compare 64 bits.
pub const JMP: u8 = 0x05;
/// Class: jumps that compare 32 bits; 5.1.
pub const JMP32: u8 = 0x06;
/// Class: arithmetic on 64 bits.
pub const ALU64: u8 = 0x07;
/// The bits of a code that hold its class.
pub const CLASS_MASK: u8 = 0x07;
/// The bits of an arithmetic or jump code that hold its operation.
pub const OP_MASK: u8 = 0xf0;
/// The bits of a memory code that hold its size.
pub const SIZE_MASK: u8 = 0x18;
/// The bits of a memory code that hold its mode.
pub const MODE_MASK: u8 = 0xe0;

/// Set in arithmetic and jump codes whose second operand is a register.
pub const FROM_REG: u8 = 0x08;

/// Mode: an ordinary access.
pub const MEM: u8 = 0x60;
/// Mode: an atomic access; the operation is in the immediate.
pub const ATOMIC: u8 = 0xc0;
/// Immediate of an atomic addition that does not fetch.
pub const ATOMIC_ADD: i32 = 0x00;

/// `ld_imm64`, the one instruction of two slots.
pub const LD_IMM64: u8 = 0x18;
/// Source of a `ld_imm64` whose immediate is a map's file descriptor.
pub const PSEUDO_MAP_FD: u8 = 1;
/// Source of a `ld_imm64` that wants the address of an array map's value; 5.2.
pub const PSEUDO_MAP_VALUE: u8 = 2;
/// Source of a `ld_imm64` that wants the address of a function of the same program; 5.13.
pub const PSEUDO_FUNCTION: u8 = 4;
/// Source of a call whose immediate is the BTF id of a function of the kernel; 5.13.
pub const PSEUDO_KERNEL_CALL: u8 = 2;

/// Arithmetic operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Alu {
    Add = 0x00,
    Sub = 0x10,
    Mul = 0x20,
    /// Unsigned; by zero gives zero.
    Div = 0x30,
    Or = 0x40,
    And = 0x50,
    Lsh = 0x60,
    /// Fills with zeros.
    Rsh = 0x70,
    Neg = 0x80,
    /// Unsigned; by zero gives the dividend.
    Mod = 0x90,
    Xor = 0xa0,
    Mov = 0xb0,
    /// Fills with the sign.
    Arsh = 0xc0,
    /// Byte order.
    End = 0xd0,
}

impl Alu {
    /// The operation in the upper bits of `code`.
    pub fn of(code: u8) -> Option<Self> {
        use Alu::*;
        [Add, Sub, Mul, Div, Or, And, Lsh, Rsh, Neg, Mod, Xor, Mov, Arsh, End]
            .into_iter()
            .find(|op| *op as u8 == code & OP_MASK)
    }
}

/// Jump operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Jump {
    Always = 0x00,
    Eq = 0x10,
    /// Unsigned.
    Gt = 0x20,
    /// Unsigned.
    Ge = 0x30,
    /// Any bit in common.
    Set = 0x40,
    Ne = 0x50,
    SGt = 0x60,
    SGe = 0x70,
    Call = 0x80,
    Exit = 0x90,
    /// Unsigned.
    Lt = 0xa0,
    /// Unsigned.
    Le = 0xb0,
    SLt = 0xc0,
    SLe = 0xd0,
}

impl Jump {
    /// The operation in the upper bits of `code`.
    pub fn of(code: u8) -> Option<Self> {
        use Jump::*;
        [Always, Eq, Gt, Ge, Set, Ne, SGt, SGe, Call, Exit, Lt, Le, SLt, SLe]
            .into_iter()
            .find(|op| *op as u8 == code & OP_MASK)
    }

    /// Whether the operation compares and so may fall through.
    pub fn is_conditional(self) -> bool {
        !matches!(self, Jump::Always | Jump::Call | Jump::Exit)
    }
}

/// Bytes of a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Size {
    B4 = 0x00,
    B2 = 0x08,
    B1 = 0x10,
    B8 = 0x18,
}

impl Size {
    /// The size in the size bits of `code`.
    pub fn of(code: u8) -> Self {
        match code & SIZE_MASK {
            0x00 => Size::B4,
            0x08 => Size::B2,
            0x10 => Size::B1,
            _ => Size::B8,
        }
    }

    /// In bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Size::B1 => 1,
            Size::B2 => 2,
            Size::B4 => 4,
            Size::B8 => 8,
        }
    }

    /// In bits.
    pub fn bits(self) -> u32 {
        self.bytes() * 8
    }
}
