//! Calling conventions: where registers lie in the kernel's `struct pt_regs`, as a probe's context holds it.
//!
//! Source: arch/x86/include/asm/ptrace.h and arch/arm64/include/uapi/asm/ptrace.h of the kernel.

use crate::target::Arch;

/// Offsets in bytes into `struct pt_regs`; all registers are 8 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    /// Arguments of a function.
    pub args: &'static [i32],
    /// Where, from the stack pointer at a function's entry, the arguments follow that have no register.
    pub stack_args: i64,
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
    /// The frame pointer.
    pub bp: i32,
    /// What tells whether the CPU ran a process's own code.
    pub mode: Mode,
    /// What tells whether that code was of this instruction set, not of the 32-bit one the CPU runs as well.
    pub native: Mode,
    /// Every register by the name the architecture gives it.
    pub named: &'static [(&'static str, i32)],
}

/// Bits of a register that tell user from kernel mode.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// Where the register lies.
    pub offset: i32,
    /// Which bits tell.
    pub mask: i64,
    /// What they are in user mode.
    pub user: i64,
}

const X86_64: Registers = Registers {
    args: &[112, 104, 96, 88, 72, 64],
    // The return address comes first.
    stack_args: 8,
    syscall_args: [112, 104, 96, 56, 72, 64],
    syscall_number: 120,
    ret: 80,
    ip: 128,
    sp: 152,
    bp: 32,
    mode: Mode { offset: 136, mask: 3, user: 3 },
    // `__USER_CS`; a 32-bit process has `__USER32_CS`, 0x23.
    native: Mode { offset: 136, mask: 0xffff, user: 0x33 },
    named: &[
        ("r15", 0),
        ("r14", 8),
        ("r13", 16),
        ("r12", 24),
        ("bp", 32),
        ("bx", 40),
        ("r11", 48),
        ("r10", 56),
        ("r9", 64),
        ("r8", 72),
        ("ax", 80),
        ("cx", 88),
        ("dx", 96),
        ("si", 104),
        ("di", 112),
        ("orig_ax", 120),
        ("ip", 128),
        ("pc", 128),
        ("cs", 136),
        ("flags", 144),
        ("sp", 152),
        ("ss", 160),
    ],
};

const AARCH64: Registers = Registers {
    args: &[0, 8, 16, 24, 32, 40, 48, 56],
    stack_args: 0,
    syscall_args: [272, 8, 16, 24, 32, 40],
    syscall_number: 280,
    ret: 0,
    ip: 256,
    sp: 248,
    bp: 232,
    mode: Mode { offset: 264, mask: 0xf, user: 0 },
    // `PSR_MODE32_BIT`
    native: Mode { offset: 264, mask: 0x10, user: 0 },
    named: &[
        ("r0", 0),
        ("r1", 8),
        ("r2", 16),
        ("r3", 24),
        ("r4", 32),
        ("r5", 40),
        ("r6", 48),
        ("r7", 56),
        ("r8", 64),
        ("r9", 72),
        ("r10", 80),
        ("r11", 88),
        ("r12", 96),
        ("r13", 104),
        ("r14", 112),
        ("r15", 120),
        ("r16", 128),
        ("r17", 136),
        ("r18", 144),
        ("r19", 152),
        ("r20", 160),
        ("r21", 168),
        ("r22", 176),
        ("r23", 184),
        ("r24", 192),
        ("r25", 200),
        ("r26", 208),
        ("r27", 216),
        ("r28", 224),
        ("r29", 232),
        ("r30", 240),
        ("sp", 248),
        ("pc", 256),
        ("pstate", 264),
    ],
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

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(registers: &Registers, names: &[&str]) -> Vec<i32> {
        let offset = |name: &&str| registers.named.iter().find(|(known, _)| known == name).map(|(_, offset)| *offset);
        names.iter().map(|name| offset(name).unwrap_or_else(|| panic!("no register {name}"))).collect()
    }

    #[test]
    fn x86_64_passes_arguments_as_its_abi_says() {
        let registers = Arch::X86_64.registers();
        assert_eq!(registers.args, offsets(registers, &["di", "si", "dx", "cx", "r8", "r9"]));
        assert_eq!(registers.syscall_args.to_vec(), offsets(registers, &["di", "si", "dx", "r10", "r8", "r9"]));
        assert_eq!(vec![registers.syscall_number, registers.ret], offsets(registers, &["orig_ax", "ax"]));
        assert_eq!(vec![registers.ip, registers.sp], offsets(registers, &["ip", "sp"]));
        // The return address lies at the stack pointer, arguments without a register behind it.
        assert_eq!(registers.stack_args, 8);
    }

    #[test]
    fn aarch64_passes_arguments_as_its_abi_says() {
        let registers = Arch::Aarch64.registers();
        assert_eq!(registers.args, offsets(registers, &["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"]));
        assert_eq!(vec![registers.ret, registers.ip, registers.sp], offsets(registers, &["r0", "pc", "sp"]));
        // The first argument of a system call is overwritten by its result: the kernel keeps a copy behind the registers.
        assert_eq!(registers.syscall_args[0], offsets(registers, &["pstate"])[0] + 8);
        assert_eq!(registers.syscall_args[1..], offsets(registers, &["r1", "r2", "r3", "r4", "r5"]));
        assert_eq!(registers.syscall_number, registers.syscall_args[0] + 8);
        assert_eq!(registers.stack_args, 0);
    }

    #[test]
    fn code_of_the_other_width_is_told_apart() {
        let is_native = |arch: Arch, value: i64| value & arch.registers().native.mask == arch.registers().native.user;
        assert!(is_native(Arch::X86_64, 0x33) && !is_native(Arch::X86_64, 0x23));
        assert!(is_native(Arch::Aarch64, 0) && !is_native(Arch::Aarch64, 0x10));
    }
}
