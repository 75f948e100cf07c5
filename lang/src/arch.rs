//! Calling conventions: where registers lie in the kernel's `struct pt_regs`, as a probe's context holds it.
//!
//! Source: arch/x86/include/asm/ptrace.h and arch/arm64/include/uapi/asm/ptrace.h of the kernel.

use crate::target::Arch;

/// Offsets in bytes into `struct pt_regs`; all registers are 8 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    /// Arguments of a function.
    pub args: &'static [i32],
    /// Arguments of a system call.
    pub syscall_args: [i32; 6],
    /// The number of a system call.
    pub syscall_number: i32,
    /// What a function returns.
    pub ret: i32,
    /// The instruction at hand.
    pub ip: i32,
    /// The stack pointer.
    pub sp: i32,
}

const X86_64: Registers = Registers {
    args: &[112, 104, 96, 88, 72, 64],
    syscall_args: [112, 104, 96, 56, 72, 64],
    syscall_number: 120,
    ret: 80,
    ip: 128,
    sp: 152,
};

const AARCH64: Registers = Registers {
    args: &[0, 8, 16, 24, 32, 40, 48, 56],
    syscall_args: [272, 8, 16, 24, 32, 40],
    syscall_number: 280,
    ret: 0,
    ip: 256,
    sp: 248,
};

impl Arch {
    /// Where this architecture keeps its registers.
    pub fn registers(self) -> &'static Registers {
        match self {
            Arch::X86_64 => &X86_64,
            Arch::Aarch64 => &AARCH64,
        }
    }
}
