//! The light checker: faults of a program that can be seen without simulating it.
//!
//! It stands in for the kernel's verifier where there is no kernel, and names the compiler's faults first where there is one.
//! Its rules:
//!
//! 1. Every slot is an instruction the disassembler knows, and no 64-bit constant lacks its second slot.
//! 2. Jumps land on the start of an instruction of the program.
//! 3. The program does not run over its end, and every instruction can be reached.
//! 4. Registers are written on every way to where they are read. At the start r1 and r10 are; a call reads as many arguments
//!    as its helper takes, writes r0 and loses r1 to r5; an exit reads r0. A function whose address is taken starts with r1 to r5.
//! 5. r10 is never written.
//! 6. Accesses relative to r10 stay in the 512 bytes below it and are aligned.
//! 7. Helpers are known.
//! 8. Constant divisors are not zero, constant shifts shorter than the register.

use crate::disasm;
use crate::helper::Helper;
use crate::insn::Insn;
use crate::opcode::{self, Alu, Jump, Size};

/// Bytes of stack.
const STACK: i16 = 512;
/// The registers lost in a call.
const CALL_CLOBBERED: u16 = 0b11_1111;
/// The registers written when a function is called back: its arguments and the frame pointer.
const AT_FUNCTION: u16 = 0b100_0011_1110;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("instruction {index}: {text}: {fault}")]
pub struct CheckError {
    /// Index of the slot.
    pub index: usize,
    /// The instruction's text.
    pub text: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Fault {
    #[error("not a known instruction")]
    Unknown,
    #[error("jumps out of the program or into the middle of an instruction")]
    Target,
    #[error("the program runs over its end")]
    NoEnd,
    #[error("cannot be reached")]
    Unreachable,
    #[error("r{0} may not have been written")]
    Unwritten(u8),
    #[error("r10 is written")]
    FrameWritten,
    #[error("outside of the stack, or not aligned")]
    Stack,
    #[error("not a known helper")]
    Helper,
    #[error("division by zero")]
    Division,
    #[error("shifts by more than the register has")]
    Shift,
}

/// Checks a program; the first fault found.
pub fn check(insns: &[Insn]) -> Result<(), CheckError> {
    let mut texts: Vec<Option<String>> = vec![None; insns.len()];
    for (index, line) in disasm::lines(insns) {
        if let Some(text) = texts.get_mut(index) {
            *text = Some(line);
        }
    }
    let text = |index: usize| texts.get(index).cloned().flatten().unwrap_or_default();
    let fail = |index: usize, fault: Fault| CheckError { index, text: text(index), fault };
    for (index, insn) in insns.iter().enumerate() {
        match texts.get(index).and_then(Option::as_deref) {
            Some(line) if line.starts_with(".insn") => return Err(fail(index, Fault::Unknown)),
            Some(_) => single(*insn).map_err(|fault| fail(index, fault))?,
            None => {}
        }
    }
    let starts: Vec<bool> = texts.iter().map(Option::is_some).collect();
    flow(insns, &starts).map_err(|(index, fault)| fail(index, fault))
}

/// Rules 5 to 8.
fn single(insn: Insn) -> Result<(), Fault> {
    let class = insn.code & opcode::CLASS_MASK;
    let constant = insn.code & opcode::FROM_REG == 0;
    match class {
        opcode::ALU | opcode::ALU64 => {
            let width = if class == opcode::ALU64 { 64 } else { 32 };
            match Alu::of(insn.code) {
                Some(Alu::Div | Alu::Mod) if constant && insn.imm == 0 => return Err(Fault::Division),
                Some(Alu::Lsh | Alu::Rsh | Alu::Arsh) if constant && !(0..width).contains(&insn.imm) => {
                    return Err(Fault::Shift);
                }
                _ => {}
            }
        }
        opcode::JMP if is_helper_call(insn) && Helper::from_id(insn.imm).is_none() => {
            return Err(Fault::Helper);
        }
        opcode::LDX if insn.src == 10 => stack(insn)?,
        opcode::ST | opcode::STX if insn.dst == 10 => stack(insn)?,
        _ => {}
    }
    let writes = matches!(class, opcode::ALU | opcode::ALU64 | opcode::LDX) || insn.is_load_imm64();
    if writes && insn.dst == 10 { Err(Fault::FrameWritten) } else { Ok(()) }
}

/// Whether it calls a helper, and not a function of the kernel.
fn is_helper_call(insn: Insn) -> bool {
    Jump::of(insn.code) == Some(Jump::Call) && insn.src != opcode::PSEUDO_KERNEL_CALL
}

fn stack(insn: Insn) -> Result<(), Fault> {
    let bytes = Size::of(insn.code).bytes() as i16;
    let inside = insn.off >= -STACK && insn.off <= -bytes;
    if inside && insn.off % bytes == 0 { Ok(()) } else { Err(Fault::Stack) }
}

/// Rules 2 to 4, by the set of registers that are written on every way to an instruction.
fn flow(insns: &[Insn], starts: &[bool]) -> Result<(), (usize, Fault)> {
    let mut at_entry: Vec<Option<u16>> = vec![None; insns.len()];
    let mut open = vec![(0usize, 0usize, 1u16 << 1 | 1 << 10)];
    while let Some((from, index, written)) = open.pop() {
        let (Some(insn), Some(entry)) = (insns.get(index), at_entry.get_mut(index)) else {
            let fault = if index == from + 1 || index == from + 2 { Fault::NoEnd } else { Fault::Target };
            return Err((from, fault));
        };
        if starts.get(index) != Some(&true) {
            return Err((from, Fault::Target));
        }
        let merged = entry.map_or(written, |known| known & written);
        if *entry == Some(merged) {
            continue;
        }
        *entry = Some(merged);
        let after = written_after(*insn, merged).map_err(|fault| (index, fault))?;
        if let Some(target) = function(*insn, index).map_err(|fault| (index, fault))? {
            open.push((index, target, AT_FUNCTION));
        }
        for next in successors(*insn, index).map_err(|fault| (index, fault))?.into_iter().flatten() {
            open.push((index, next, after));
        }
    }
    let missed = starts.iter().zip(&at_entry).position(|(start, entry)| *start && entry.is_none());
    missed.map_or(Ok(()), |index| Err((index, Fault::Unreachable)))
}

/// The function whose address an instruction takes.
fn function(insn: Insn, index: usize) -> Result<Option<usize>, Fault> {
    if !insn.is_load_imm64() || insn.src != opcode::PSEUDO_FUNCTION {
        return Ok(None);
    }
    let distance = isize::try_from(insn.imm).map_err(|_| Fault::Target)?;
    (index + 1).checked_add_signed(distance).map(Some).ok_or(Fault::Target)
}

fn successors(insn: Insn, index: usize) -> Result<[Option<usize>; 2], Fault> {
    let target = || (index + 1).checked_add_signed(insn.off.into()).ok_or(Fault::Target);
    let class = insn.code & opcode::CLASS_MASK;
    let jump = if matches!(class, opcode::JMP | opcode::JMP32) { Jump::of(insn.code) } else { None };
    Ok(match jump {
        Some(Jump::Exit) => [None, None],
        Some(Jump::Always) => [Some(target()?), None],
        Some(jump) if jump.is_conditional() => [Some(index + 1), Some(target()?)],
        _ if insn.is_load_imm64() => [Some(index + 2), None],
        _ => [Some(index + 1), None],
    })
}

/// The registers written after an instruction, given those before.
fn written_after(insn: Insn, written: u16) -> Result<u16, Fault> {
    let need = |register: u8| {
        if written & 1 << register != 0 { Ok(()) } else { Err(Fault::Unwritten(register)) }
    };
    let set = |register: u8| written | 1 << register;
    let from_reg = insn.code & opcode::FROM_REG != 0;
    match insn.code & opcode::CLASS_MASK {
        opcode::ALU | opcode::ALU64 => {
            let op = Alu::of(insn.code);
            if from_reg && op != Some(Alu::End) {
                need(insn.src)?;
            }
            if op != Some(Alu::Mov) {
                need(insn.dst)?;
            }
            Ok(set(insn.dst))
        }
        opcode::JMP | opcode::JMP32 => match Jump::of(insn.code) {
            Some(Jump::Call) => {
                let helper = Helper::from_id(insn.imm).filter(|_| is_helper_call(insn));
                // How many arguments a function of the kernel takes only its types tell.
                let args = helper.map_or(0, Helper::arg_count);
                (1..=args as u8).try_for_each(need)?;
                Ok(written & !CALL_CLOBBERED | 1)
            }
            Some(Jump::Exit) => need(0).map(|()| written),
            Some(Jump::Always) | None => Ok(written),
            Some(_) => {
                need(insn.dst)?;
                if from_reg { need(insn.src).map(|()| written) } else { Ok(written) }
            }
        },
        opcode::LDX => need(insn.src).map(|()| set(insn.dst)),
        opcode::ST => need(insn.dst).map(|()| written),
        opcode::STX => need(insn.dst).and_then(|()| need(insn.src)).map(|()| written),
        _ => Ok(set(insn.dst)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asm::assemble;

    fn fault(text: &str) -> (usize, Fault) {
        let error = check(&assemble(text).unwrap()).unwrap_err();
        (error.index, error.fault)
    }

    #[test]
    fn a_sound_program_passes() {
        let text = "\
r6 = r1
*(u32 *)(r10 - 4) = 0
r1 = map[1]
r2 = r10
r2 += -4
call map_lookup_elem#1
if r0 == 0 goto +2
r1 = 1
lock *(u64 *)(r0 + 0) += r1
r0 = 0
exit
";
        assert_eq!(check(&assemble(text).unwrap()), Ok(()));
    }

    #[test]
    fn each_rule_is_enforced() {
        assert_eq!(fault(".insn 0xff 0 0 0 0\nexit"), (0, Fault::Unknown));
        assert_eq!(fault(".insn 0x18 0 0 0 0"), (0, Fault::Unknown));
        assert_eq!(fault("r0 = 0\ngoto +5\nexit"), (1, Fault::Target));
        assert_eq!(fault("r0 = 0\ngoto -9\nexit"), (1, Fault::Target));
        assert_eq!(fault("if r1 == 0 goto +1\nr0 = 0x100000000 ll\nexit"), (0, Fault::Target));
        assert_eq!(fault("r0 = 0"), (0, Fault::NoEnd));
        assert_eq!(fault("r0 = 0\nexit\nexit"), (2, Fault::Unreachable));
        assert_eq!(fault("exit"), (0, Fault::Unwritten(0)));
        assert_eq!(fault("if r1 == 0 goto +1\nr0 = 0\nexit"), (2, Fault::Unwritten(0)));
        assert_eq!(fault("call get_current_pid_tgid#14\nr2 = r1\nexit"), (1, Fault::Unwritten(1)));
        assert_eq!(fault("call map_lookup_elem#1\nexit"), (0, Fault::Unwritten(2)));
        assert_eq!(fault("r10 = 0\nexit"), (0, Fault::FrameWritten));
        assert_eq!(fault("*(u64 *)(r10 - 4) = 0\nexit"), (0, Fault::Stack));
        assert_eq!(fault("*(u64 *)(r10 - 520) = 0\nexit"), (0, Fault::Stack));
        assert_eq!(fault("call 9999\nexit"), (0, Fault::Helper));
        assert_eq!(fault("r1 /= 0\nexit"), (0, Fault::Division));
        assert_eq!(fault("w1 <<= 32\nexit"), (0, Fault::Shift));
    }

    #[test]
    fn an_empty_program_has_no_end() {
        assert!(check(&[]).is_err());
    }
}
