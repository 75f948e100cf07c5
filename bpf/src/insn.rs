//! One instruction of the BPF machine, as eight bytes and as fields.
//!
//! Source: Documentation/bpf/standardization/instruction-set.rst of the kernel.

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
