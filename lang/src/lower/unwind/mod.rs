//! Stacks that were met before, recognised by the program itself.
//!
//! A stack is kept under its number, a hash of its return addresses as the kernel's unwinder found them. That takes 100 ns and more for
//! each function on the stack, those of the tracing included, and most events of a probe come from a handful of stacks. A program can do
//! what the unwinder does, by the same tables ([`crate::orc`]), at a fraction of that, as it remembers what the tables say of each return
//! address it has met. If a stack is kept under the hash of what it finds, that is its number.
//!
//! No stack is taken for another: only what the kernel found is ever kept. Where the program cannot follow (modules, trampolines,
//! interrupts, more than [`MOST_STEPS`] functions), or finds another stack than the kernel does because return addresses have been replaced
//! (kretprobes, the function graph tracer), the kernel is asked every time.
//!
//! Where a walk of the kernel's stack starts depends on how the program is called ([`From`]). A process's stack is walked by frame
//! pointers, as the kernel does it, or, where the script wants that, by [`tables`] that the kernel has none of.

mod number;
mod rule;
mod start;
mod step;
mod tables;
mod user;

pub use rule::RULES;
pub use tables::follows_tables;

use super::{Lowerer, Place};
use crate::builtin::MOST_FRAMES;
use crate::compiled::Attach;
use crate::expand::Site;
use crate::ir::{BlockId, Op, Operand, VReg, Width};
use crate::orc::Orc;
use crate::types::Space;

/// The most functions a stack is followed through.
const MOST_STEPS: u32 = 64;
/// An odd number with its ones well spread (2^32 by the golden ratio, as a negative 32-bit number).
const SPREAD: i64 = -0x61c8_8647;

const _: () = assert!(MOST_STEPS < MOST_FRAMES as u32);

/// How a stack is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The kernel's, by its tables.
    Kernel {
        /// The tables.
        orc: Orc,
        /// Where the walk starts.
        from: From,
    },
    /// The process's, by frame pointers.
    Process,
}

/// How a program is called, and so where on the stack the walk starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// By a function of the kernel whose frame holds the context, as raw tracepoints are. Where in it that is called from,
    /// and where the frame's return address is, is learnt from the first stack.
    Tracer,
    /// By a trampoline of BPF's, which no table knows, from the entry of a function (fentry). The context is in its frame; where its
    /// return address is, is learnt. The frame pointer is the first thing it saves.
    Trampoline,
    /// With the registers at the entry of a function (kprobe): the stack pointer is where the return address is.
    Registers,
    /// With the registers of what was interrupted, anywhere in a function (perf events).
    Sample,
}

impl From {
    /// How the program at these sites is called; `None` where it is no matter of walks, or differs.
    fn of(sites: &[Site]) -> Option<Self> {
        let from = |site: &Site| match &site.attach {
            Attach::Kprobe { offset: 0, .. } => Some(Self::Registers),
            Attach::Function { .. } => Some(Self::Trampoline),
            Attach::RawTracepoint { .. } | Attach::Syscalls { .. } => Some(Self::Tracer),
            Attach::Profile(_) | Attach::Software { .. } | Attach::Hardware { .. } => Some(Self::Sample),
            _ => None,
        };
        let (first, rest) = sites.split_first()?;
        let first = from(first)?;
        rest.iter().all(|site| from(site) == Some(first)).then_some(first)
    }
}

impl Lowerer<'_> {
    /// How stacks of the kernel, or of the process, can be followed in the program at hand, where they can.
    pub fn unwinding(&self, user: bool) -> Option<Way> {
        let features = self.unit.target.features;
        if !features.task_btf || !features.task_registers || self.b.is_called_back() {
            return None;
        }
        if user {
            return user::is_followed(self.unit.target.arch, &self.probe.sites).then_some(Way::Process);
        }
        let (orc, from) = Orc::of(self.unit.target).zip(From::of(&self.probe.sites))?;
        Some(Way::Kernel { orc, from })
    }

    /// How many more return addresses a walk looks for that is about so many, and where it goes then.
    fn bound(most: u32, done: BlockId, unknown: BlockId) -> (i64, BlockId) {
        if most <= MOST_STEPS { (most.into(), done) } else { (MOST_STEPS.into(), unknown) }
    }

    /// A hash that one more return address goes into.
    fn mix(&mut self, hash: VReg, address: VReg) {
        let mixed = self.b.bin(Op::Xor, hash, address);
        let mixed = self.b.mul(mixed, SPREAD);
        let high = self.b.lshr(mixed, 32);
        let mixed = self.b.bin(Op::Xor, mixed, high);
        self.b.assign(hash, mixed);
    }

    /// The word at an address of the kernel.
    fn kernel_word(&mut self, to: Place, address: impl Into<Operand>) -> VReg {
        self.read_bytes(to, 8, address.into(), Space::Kernel);
        self.b.load(to.base, to.offset, Width::B8, false)
    }
}
