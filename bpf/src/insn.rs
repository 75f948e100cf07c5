//! One instruction of the BPF machine: as eight bytes, as fields, and as the constructors code is written with.
//!
//! Source: Documentation/bpf/standardization/instruction-set.rst of the kernel. The operation codes themselves are in
//! [`crate::opcode`]; the text form is in [`crate::asm`] and [`crate::disasm`].

use crate::helper::Helper;
use crate::opcode::{self, Alu, Jump, Size};

/// One instruction slot; `ld_imm64` takes two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Insn {
    /// Operation, with its class in the low three bits.
    pub code: u8,
    /// Destination register, 0..=10.
    pub dst: u8,
    /// Source register, 0..=10, or a pseudo source.
    pub src: u8,
    /// Signed offset: bytes for memory, instruction slots for jumps.
    pub off: i16,
    /// Immediate.
    pub imm: i32,
}

/// A register, `r0` to `r10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reg(pub u8);

impl Reg {
    /// The frame pointer, which programs only read.
    pub const FRAME: Reg = Reg(10);
}

impl std::fmt::Display for Reg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "r{}", self.0)
    }
}

/// The second operand of arithmetic, jumps and stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A register's value.
    Reg(Reg),
    /// A constant, sign extended to 64 bits.
    Imm(i32),
}

impl From<Reg> for Source {
    fn from(register: Reg) -> Self {
        Source::Reg(register)
    }
}

impl From<i32> for Source {
    fn from(value: i32) -> Self {
        Source::Imm(value)
    }
}

/// What a `ld_imm64` loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imm64 {
    /// A constant.
    Value(u64),
    /// The map of this file descriptor (pseudo source 1).
    Map(i32),
    /// Byte `offset` of the only value of the array map of this file descriptor (pseudo source 2, kernel 5.2).
    MapValue(i32, u32),
    /// A function of the same program, this many slots behind the next instruction (pseudo source 4, kernel 5.13).
    Function(i32),
}

/// Bytes of one slot.
pub const SLOT: usize = 8;

impl Insn {
    /// The eight bytes the kernel takes, for a little-endian machine.
    pub fn to_bytes(self) -> [u8; SLOT] {
        let [off0, off1] = self.off.to_le_bytes();
        let [imm0, imm1, imm2, imm3] = self.imm.to_le_bytes();
        [self.code, self.dst & 0xf | self.src << 4, off0, off1, imm0, imm1, imm2, imm3]
    }

    /// The slot that [`Insn::to_bytes`] wrote.
    pub fn from_bytes(bytes: [u8; SLOT]) -> Self {
        let [code, registers, off0, off1, imm0, imm1, imm2, imm3] = bytes;
        Self {
            code,
            dst: registers & 0xf,
            src: registers >> 4,
            off: i16::from_le_bytes([off0, off1]),
            imm: i32::from_le_bytes([imm0, imm1, imm2, imm3]),
        }
    }

    /// `dst op= src` on 64 bits; for [`Alu::Mov`] `dst = src`.
    pub fn alu64(op: Alu, dst: Reg, src: impl Into<Source>) -> Self {
        Self::with_source(opcode::ALU64 | op as u8, dst, src.into())
    }

    /// `dst op= src` on the low 32 bits; the upper half becomes zero.
    pub fn alu32(op: Alu, dst: Reg, src: impl Into<Source>) -> Self {
        Self::with_source(opcode::ALU | op as u8, dst, src.into())
    }

    /// `dst = src`
    pub fn mov(dst: Reg, src: impl Into<Source>) -> Self {
        Self::alu64(Alu::Mov, dst, src)
    }

    /// `dst = -dst` on 64 bits.
    pub fn neg(dst: Reg) -> Self {
        Self { code: opcode::ALU64 | Alu::Neg as u8, dst: dst.0, ..Self::default() }
    }

    /// The low `size` bytes of `dst` as big-endian, zero extended: on a little-endian machine they are swapped. `size` is not 1.
    pub fn to_big_endian(dst: Reg, size: Size) -> Self {
        Self {
            code: opcode::ALU | Alu::End as u8 | opcode::FROM_REG,
            dst: dst.0,
            imm: size.bits() as i32,
            ..Self::default()
        }
    }

    /// `dst = *(size *)(base + off)`, zero extended.
    pub fn load(size: Size, dst: Reg, base: Reg, off: i16) -> Self {
        Self { code: opcode::LDX | opcode::MEM | size as u8, dst: dst.0, src: base.0, off, imm: 0 }
    }

    /// `*(size *)(base + off) = src`; an immediate is sign extended.
    pub fn store(size: Size, base: Reg, off: i16, src: impl Into<Source>) -> Self {
        match src.into() {
            Source::Reg(src) => {
                Self { code: opcode::STX | opcode::MEM | size as u8, dst: base.0, src: src.0, off, imm: 0 }
            }
            Source::Imm(imm) => Self { code: opcode::ST | opcode::MEM | size as u8, dst: base.0, src: 0, off, imm },
        }
    }

    /// `*(size *)(base + off) += src`, atomically; `size` is 4 or 8 bytes.
    pub fn atomic_add(size: Size, base: Reg, off: i16, src: Reg) -> Self {
        Self { code: opcode::STX | opcode::ATOMIC | size as u8, dst: base.0, src: src.0, off, imm: opcode::ATOMIC_ADD }
    }

    /// `dst = value`, in two slots.
    pub fn load_imm64(dst: Reg, value: Imm64) -> [Self; 2] {
        let (src, low, high) = match value {
            Imm64::Value(value) => (0, value as i32, (value >> 32) as i32),
            Imm64::Map(fd) => (opcode::PSEUDO_MAP_FD, fd, 0),
            Imm64::MapValue(fd, offset) => (opcode::PSEUDO_MAP_VALUE, fd, offset as i32),
            Imm64::Function(distance) => (opcode::PSEUDO_FUNCTION, distance, 0),
        };
        [Self { code: opcode::LD_IMM64, dst: dst.0, src, off: 0, imm: low }, Self { imm: high, ..Self::default() }]
    }

    /// Skip `off` slots, counted from the next one.
    pub fn jump(off: i16) -> Self {
        Self { code: opcode::JMP | Jump::Always as u8, off, ..Self::default() }
    }

    /// Skip `off` slots where `dst op src` holds on 64 bits.
    pub fn jump_if(op: Jump, dst: Reg, src: impl Into<Source>, off: i16) -> Self {
        Self { off, ..Self::with_source(opcode::JMP | op as u8, dst, src.into()) }
    }

    /// Skip `off` slots where `dst op src` holds on the low 32 bits; 5.1.
    pub fn jump32_if(op: Jump, dst: Reg, src: impl Into<Source>, off: i16) -> Self {
        Self { off, ..Self::with_source(opcode::JMP32 | op as u8, dst, src.into()) }
    }

    /// `r0 = helper(r1, ..)`; r1 to r5 are lost.
    pub fn call(helper: Helper) -> Self {
        Self { code: opcode::JMP | Jump::Call as u8, imm: helper as i32, ..Self::default() }
    }

    /// `r0 = function(r1, ..)`, a function of the kernel by the id its types have for it; r1 to r5 are lost; 5.13.
    pub fn call_kernel(function: u32) -> Self {
        let (code, src) = (opcode::JMP | Jump::Call as u8, opcode::PSEUDO_KERNEL_CALL);
        Self { code, src, imm: function as i32, ..Self::default() }
    }

    /// Leave with r0.
    pub fn exit() -> Self {
        Self { code: opcode::JMP | Jump::Exit as u8, ..Self::default() }
    }

    /// Whether this is the first of the two slots of a 64-bit constant.
    pub fn is_load_imm64(self) -> bool {
        self.code == opcode::LD_IMM64
    }

    fn with_source(code: u8, dst: Reg, src: Source) -> Self {
        match src {
            Source::Reg(src) => Self { code: code | opcode::FROM_REG, dst: dst.0, src: src.0, off: 0, imm: 0 },
            Source::Imm(imm) => Self { code, dst: dst.0, src: 0, off: 0, imm },
        }
    }
}

/// The bytes of a program.
pub fn encode(insns: &[Insn]) -> Vec<u8> {
    insns.iter().flat_map(|insn| insn.to_bytes()).collect()
}

/// The slots of a program; bytes behind the last whole slot are left out.
pub fn decode(bytes: &[u8]) -> Vec<Insn> {
    bytes.as_chunks::<SLOT>().0.iter().map(|slot| Insn::from_bytes(*slot)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_survives_its_bytes() {
        let insn = Insn { code: 0x7b, dst: 10, src: 9, off: -8, imm: -2 };
        assert_eq!(insn.to_bytes(), [0x7b, 0x9a, 0xf8, 0xff, 0xfe, 0xff, 0xff, 0xff]);
        assert_eq!(decode(&encode(&[insn, Insn::exit()])), [insn, Insn::exit()]);
    }

    #[test]
    fn constructors_make_the_documented_codes() {
        assert_eq!(Insn::mov(Reg(1), 7).code, 0xb7);
        assert_eq!(Insn::mov(Reg(1), Reg(2)).code, 0xbf);
        assert_eq!(Insn::alu32(Alu::Add, Reg(1), 1).code, 0x04);
        assert_eq!(Insn::load(Size::B8, Reg(1), Reg(2), 0).code, 0x79);
        assert_eq!(Insn::store(Size::B4, Reg(1), 0, 5).code, 0x62);
        assert_eq!(Insn::store(Size::B1, Reg(1), 0, Reg(2)).code, 0x73);
        assert_eq!(Insn::atomic_add(Size::B8, Reg(1), 0, Reg(2)).code, 0xdb);
        assert_eq!(Insn::jump_if(Jump::Ne, Reg(1), 0, 1).code, 0x55);
        assert_eq!(Insn::call(Helper::GetStack).imm, 67);
        assert_eq!(Insn::exit().code, 0x95);
        assert_eq!(Insn::to_big_endian(Reg(3), Size::B2).code, 0xdc);
    }

    #[test]
    fn a_wide_constant_is_split_into_two_slots() {
        let [low, high] = Insn::load_imm64(Reg(1), Imm64::Value(0x1122_3344_8899_aabb));
        assert_eq!((low.imm as u32, high.imm as u32), (0x8899_aabb, 0x1122_3344));
        assert!(low.is_load_imm64() && high.code == 0);
    }
}
