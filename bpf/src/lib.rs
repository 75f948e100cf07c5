//! The machine: instructions, assembler, disassembler, light checker, kinds of maps and programs, BTF.
//!
//! Pure: bytes in, bytes out. Leaves talking to the kernel to the agent.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::indexing_slicing
    )
)]

pub mod asm;
pub mod btf;
pub mod check;
pub mod disasm;
pub mod helper;
pub mod insn;
pub mod map;
pub mod opcode;
pub mod program;
