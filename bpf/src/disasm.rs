//! Instructions as text, one line each, as the kernel's own dumps look.
//!
//! [`crate::asm::assemble`] reads what [`disassemble`] writes. What no instruction set document names is written as its bytes
//! (`.insn code dst src off imm`), so that every slot has a text.

use std::fmt::Write;

use crate::helper::Helper;
use crate::insn::{Insn, Reg};
use crate::opcode::{self, Alu, Jump, Size};

/// The text of a program, one instruction a line.
pub fn disassemble(insns: &[Insn]) -> String {
    let mut text = String::new();
    for (_, line) in lines(insns) {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// The text of each instruction, with the index of its first slot.
pub fn lines(insns: &[Insn]) -> impl Iterator<Item = (usize, String)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let insn = *insns.get(at)?;
        let index = at;
        let second = insns.get(at + 1).copied();
        let (line, slots) = match (insn.is_load_imm64(), second) {
            (true, Some(second)) => match wide(insn, second) {
                Some(line) => (line, 2),
                None => (raw(insn), 1),
            },
            _ => (single(insn).unwrap_or_else(|| raw(insn)), 1),
        };
        at += slots;
        Some((index, line))
    })
}

fn raw(insn: Insn) -> String {
    format!(".insn {:#04x} {} {} {} {}", insn.code, insn.dst, insn.src, insn.off, insn.imm)
}

/// A 64-bit constant; `None` where the slots hold more than that.
fn wide(first: Insn, second: Insn) -> Option<String> {
    let plain = Insn { imm: second.imm, ..Insn::default() } == second && first.off == 0 && first.dst <= 10;
    if !plain {
        return None;
    }
    let dst = Reg(first.dst);
    match first.src {
        0 => {
            let value = u64::from(second.imm as u32) << 32 | u64::from(first.imm as u32);
            Some(format!("{dst} = {value:#x} ll"))
        }
        opcode::PSEUDO_MAP_FD if second.imm == 0 => Some(format!("{dst} = map[{}]", first.imm)),
        opcode::PSEUDO_MAP_VALUE => Some(format!("{dst} = map[{}][0]+{}", first.imm, second.imm as u32)),
        opcode::PSEUDO_FUNCTION if second.imm == 0 => Some(format!("{dst} = function[{:+}]", first.imm)),
        _ => None,
    }
}

/// One slot; `None` where a field that the text does not show is set, or the code is not known.
fn single(insn: Insn) -> Option<String> {
    if insn.dst > 10 || insn.src > 10 {
        return None;
    }
    let line = match insn.code & opcode::CLASS_MASK {
        opcode::ALU64 => alu(insn, 'r')?,
        opcode::ALU => alu(insn, 'w')?,
        opcode::JMP => jump(insn, 'r')?,
        opcode::JMP32 => jump(insn, 'w')?,
        _ => memory(insn)?,
    };
    Some(line)
}

fn alu(insn: Insn, letter: char) -> Option<String> {
    let op = Alu::of(insn.code)?;
    let dst = format!("{letter}{}", insn.dst);
    let from_reg = insn.code & opcode::FROM_REG != 0;
    if insn.off != 0 {
        return None;
    }
    match op {
        Alu::End => {
            let known = matches!(insn.imm, 16 | 32 | 64) && insn.src == 0 && letter == 'w';
            let order = if from_reg { "be" } else { "le" };
            known.then(|| format!("r{0} = {order}{1} r{0}", insn.dst, insn.imm))
        }
        Alu::Neg => (insn.src == 0 && insn.imm == 0 && !from_reg).then(|| format!("{dst} = -{dst}")),
        _ => {
            let symbol = alu_symbol(op);
            let operand = operand(insn, letter)?;
            Some(format!("{dst} {symbol} {operand}"))
        }
    }
}

/// The operator of an arithmetic instruction as written, with its `=`.
pub(crate) fn alu_symbol(op: Alu) -> &'static str {
    match op {
        Alu::Add => "+=",
        Alu::Sub => "-=",
        Alu::Mul => "*=",
        Alu::Div => "/=",
        Alu::Or => "|=",
        Alu::And => "&=",
        Alu::Lsh => "<<=",
        Alu::Rsh => ">>=",
        Alu::Mod => "%=",
        Alu::Xor => "^=",
        Alu::Mov => "=",
        Alu::Arsh => "s>>=",
        Alu::Neg | Alu::End => "",
    }
}

/// The comparison of a conditional jump as written.
pub(crate) fn jump_symbol(op: Jump) -> Option<&'static str> {
    Some(match op {
        Jump::Eq => "==",
        Jump::Gt => ">",
        Jump::Ge => ">=",
        Jump::Set => "&",
        Jump::Ne => "!=",
        Jump::SGt => "s>",
        Jump::SGe => "s>=",
        Jump::Lt => "<",
        Jump::Le => "<=",
        Jump::SLt => "s<",
        Jump::SLe => "s<=",
        Jump::Always | Jump::Call | Jump::Exit => return None,
    })
}

fn jump(insn: Insn, letter: char) -> Option<String> {
    let op = Jump::of(insn.code)?;
    let from_reg = insn.code & opcode::FROM_REG != 0;
    let bare = insn.dst == 0 && insn.src == 0 && !from_reg && letter == 'r';
    match op {
        Jump::Always => (bare && insn.imm == 0).then(|| format!("goto {:+}", insn.off)),
        Jump::Call if is_kernel_call(insn) => Some(format!("call kernel[{}]", insn.imm)),
        Jump::Call => (bare && insn.off == 0).then(|| match Helper::from_id(insn.imm) {
            Some(helper) => format!("call {}#{}", helper.name(), insn.imm),
            None => format!("call {}", insn.imm),
        }),
        Jump::Exit => (bare && insn.off == 0 && insn.imm == 0).then(|| "exit".to_owned()),
        _ => {
            let symbol = jump_symbol(op)?;
            let operand = operand(insn, letter)?;
            Some(format!("if {letter}{} {symbol} {operand} goto {:+}", insn.dst, insn.off))
        }
    }
}

/// Whether it calls a function of the kernel by the id its types have for it.
fn is_kernel_call(insn: Insn) -> bool {
    insn == Insn::call_kernel(insn.imm as u32)
}

fn operand(insn: Insn, letter: char) -> Option<String> {
    match (insn.code & opcode::FROM_REG != 0, insn.src, insn.imm) {
        (true, src, 0) => Some(format!("{letter}{src}")),
        (false, 0, imm) => Some(imm.to_string()),
        _ => None,
    }
}

fn memory(insn: Insn) -> Option<String> {
    let place = |base: u8| {
        let sign = if insn.off < 0 { '-' } else { '+' };
        format!("*(u{} *)(r{base} {sign} {})", Size::of(insn.code).bits(), insn.off.unsigned_abs())
    };
    let mode = insn.code & opcode::MODE_MASK;
    match (insn.code & opcode::CLASS_MASK, mode) {
        (opcode::LDX, opcode::MEM) if insn.imm == 0 => Some(format!("r{} = {}", insn.dst, place(insn.src))),
        (opcode::STX, opcode::MEM) if insn.imm == 0 => Some(format!("{} = r{}", place(insn.dst), insn.src)),
        (opcode::ST, opcode::MEM) if insn.src == 0 => Some(format!("{} = {}", place(insn.dst), insn.imm)),
        (opcode::STX, opcode::ATOMIC) if insn.imm == opcode::ATOMIC_ADD => {
            let known = matches!(Size::of(insn.code), Size::B4 | Size::B8);
            known.then(|| format!("lock {} += r{}", place(insn.dst), insn.src))
        }
        _ => None,
    }
}
