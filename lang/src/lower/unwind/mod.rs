//! Kernel stacks that were met before, recognised by the program itself.
//!
//! The kernel's unwinder takes 100 ns and more for each function on the stack, those of the tracing included, and most events of
//! a probe come from a handful of stacks. A raw tracepoint's program can do what the unwinder does, by the same tables
//! ([`crate::orc`]), at a fraction of that, as it remembers what the tables say of each return address it has met: the hash
//! of the return addresses then names the stack, and its number is looked up.
//!
//! No stack is taken for another: the first time that a hash turns up the kernel walks the stack too, and only if its return
//! addresses have the same hash is the stack's number kept. Where the program cannot follow (modules, trampolines, interrupts, more
//! than [`MOST_STEPS`] functions) or return addresses have been replaced (kretprobes, the function graph tracer), the kernel is asked
//! every time.
//!
//! The walk starts in the kernel function that called the program, whose frame holds the program's context. Where in that frame
//! it calls the program from, and where the frame's return address is, is learnt from the first stack.

mod known;
mod rule;
mod step;

use bpf::program::ProgramType;

use super::{Lowerer, Place};
use crate::builtin::MOST_FRAMES;
use crate::ir::{Operand, VReg, Width};
use crate::orc::Orc;
use crate::types::Space;

/// The most functions a stack is followed through.
const MOST_STEPS: u32 = 64;
/// An odd number with its ones well spread (2^32 by the golden ratio, as a negative 32-bit number).
const SPREAD: i64 = -0x61c8_8647;

const _: () = assert!(MOST_STEPS < MOST_FRAMES as u32);

/// What the kernel's memory is needed for, and what it is called in the bytes of an element of the rules' map.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    /// Nothing is known.
    Unknown,
    /// The caller's frame is a distance from the stack pointer.
    BySp,
    /// It is a distance from the frame pointer.
    ByBp,
    /// The registers of what was interrupted follow.
    Registers,
    /// There is no caller.
    End,
}

/// Where an element of the rules' map has its [`Kind`], whether the frame pointer was saved, and the two distances.
const KIND: i32 = 0;
const SAVES: i32 = 1;
const SP_OFFSET: i32 = 2;
const BP_OFFSET: i32 = 4;

impl Lowerer<'_> {
    /// The tables to follow stacks by, where the program at hand may: a raw tracepoint's context lies on the stack.
    pub fn orc(&self) -> Option<Orc> {
        let features = self.unit.target.features;
        let raw = |site: &crate::expand::Site| site.context.program_type() == ProgramType::RawTracepoint;
        let can = features.task_btf && features.task_registers && !self.b.is_called_back();
        if can && self.probe.sites.iter().all(raw) { Orc::of(self.unit.target) } else { None }
    }

    /// A hash that one more return address goes into.
    fn mix(&mut self, hash: VReg, address: VReg) {
        let mixed = self.b.bin(crate::ir::Op::Xor, hash, address);
        let mixed = self.b.mul(mixed, SPREAD);
        let high = self.b.lshr(mixed, 32);
        let mixed = self.b.bin(crate::ir::Op::Xor, mixed, high);
        self.b.assign(hash, mixed);
    }

    /// The word at an address of the kernel.
    fn kernel_word(&mut self, to: Place, address: impl Into<Operand>) -> VReg {
        self.read_bytes(to, 8, address.into(), Space::Kernel);
        self.b.load(to.base, to.offset, Width::B8, false)
    }
}
