//! From the low-level form to instructions.
//!
//! Takes a function that keeps the rules of [`crate::ir::verify`], best after [`crate::passes`]; gives instructions, where map
//! addresses go, and the place in the script of each instruction. Its steps: [`layout`] of the blocks, [`select`] over virtual registers, [`allocate`]
//! with [`intervals`] and [`spill`], [`encode`] with the [`frame`], and [`link`] for programs of several functions. What a program may do is left to the kernel's verifier; what makes its work easy
//! is done here: pointers stay in registers or in aligned slots, and no code is unreachable.

mod allocate;
mod encode;
mod frame;
mod intervals;
mod layout;
mod link;
mod machine;
mod operation;
mod select;
mod spill;
#[cfg(test)]
mod tests;

pub use frame::STACK_BYTES;

use bpf::insn::Insn;

use crate::compiled::Relocation;
use crate::ir::verify::{Broken, verify};
use crate::ir::{Function, SlotId};
use crate::span::Span;

/// A program's code.
#[derive(Clone, Debug, Default)]
pub struct Emitted {
    /// The instructions; map addresses are zero until relocated.
    pub insns: Vec<Insn>,
    /// Where map addresses go.
    pub relocations: Vec<Relocation>,
    /// For each instruction slot, the place in the script it comes from.
    pub spans: Vec<Span>,
    /// Where each function starts; the first at 0.
    pub functions: Vec<usize>,
}

/// Why a function cannot be a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// What the program keeps on the stack is more than a program may have.
    #[error("the program needs {bytes} bytes of stack, {slot_bytes} of them in one piece; a program has {STACK_BYTES}")]
    Stack {
        /// All of it.
        bytes: u32,
        /// The largest slot.
        slot: SlotId,
        /// Bytes of the largest slot.
        slot_bytes: u32,
        /// Where the largest slot is first used.
        span: Span,
    },
    /// A jump is longer than 32,767 instructions.
    #[error("the program is too long: a jump in it passes more than 32767 instructions")]
    TooFar {
        /// Where the jump comes from.
        span: Span,
    },
    /// No assignment of registers was found: a fault of the compiler.
    #[error("no registers could be found for the program")]
    Registers,
    /// The function breaks a rule: a fault of the compiler.
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl EmitError {
    /// The place in the script it is about, where there is one.
    pub fn span(&self) -> Option<Span> {
        match self {
            EmitError::Stack { span, .. } | EmitError::TooFar { span } => Some(*span),
            EmitError::Registers | EmitError::Broken(_) => None,
        }
    }
}

/// The code of a program: where it starts, then the functions that are called back, by their numbers.
pub fn emit(functions: &[Function]) -> Result<Emitted, EmitError> {
    let encoded = functions.iter().map(single).collect::<Result<Vec<_>, _>>()?;
    link::link(encoded)
}

fn single(function: &Function) -> Result<encode::Encoded, EmitError> {
    verify(function)?;
    let mut code = select::select(function);
    allocate::allocate(&mut code)?;
    machine::share_exits(&mut code);
    machine::drop_empty(&mut code);
    encode::encode(&code)
}
