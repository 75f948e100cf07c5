//! Text to instructions: what [`crate::disasm`] writes, one instruction a line.
//!
//! Empty lines and what follows a `;` are skipped. For tests and for reading listings back.

use crate::disasm::{alu_symbol, jump_symbol};
use crate::helper::Helper;
use crate::insn::{Imm64, Insn, Reg};
use crate::opcode::{self, Alu, Jump, Size};

/// A line that is no instruction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: not an instruction: {text}")]
pub struct AsmError {
    /// Counted from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
}

const ALU_OPS: [Alu; 12] = [
    Alu::Add,
    Alu::Sub,
    Alu::Mul,
    Alu::Div,
    Alu::Or,
    Alu::And,
    Alu::Lsh,
    Alu::Rsh,
    Alu::Mod,
    Alu::Xor,
    Alu::Mov,
    Alu::Arsh,
];
const JUMP_OPS: [Jump; 11] =
    [Jump::Eq, Jump::Gt, Jump::Ge, Jump::Set, Jump::Ne, Jump::SGt, Jump::SGe, Jump::Lt, Jump::Le, Jump::SLt, Jump::SLe];

/// The instructions of a text.
pub fn assemble(text: &str) -> Result<Vec<Insn>, AsmError> {
    let mut insns = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split(';').next().unwrap_or_default().trim();
        if code.is_empty() {
            continue;
        }
        let error = || AsmError { line: index + 1, text: code.to_owned() };
        insns.extend(instruction(code).ok_or_else(error)?);
    }
    Ok(insns)
}

fn instruction(text: &str) -> Option<Vec<Insn>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match *words.as_slice() {
        ["exit"] => Some(vec![Insn::exit()]),
        ["goto", off] => Some(vec![Insn::jump(off.parse().ok()?)]),
        ["call", target] => call(target).map(|insn| vec![insn]),
        ["if", left, symbol, right, "goto", off] => jump(left, symbol, right, off.parse().ok()?).map(|insn| vec![insn]),
        [".insn", code, dst, src, off, imm] => Some(vec![Insn {
            code: u8::from_str_radix(code.strip_prefix("0x")?, 16).ok()?,
            dst: dst.parse().ok()?,
            src: src.parse().ok()?,
            off: off.parse().ok()?,
            imm: imm.parse().ok()?,
        }]),
        ["lock", ref rest @ ..] => atomic(&rest.join(" ")).map(|insn| vec![insn]),
        [_, "=", _, "ll"] | [_, "=", _] if wide(&words).is_some() => wide(&words),
        _ if text.starts_with('*') => store(text).map(|insn| vec![insn]),
        [dst, "=", ref rest @ ..] if rest.first().is_some_and(|word| word.starts_with('*')) => {
            let (size, base, off) = place(&rest.join(" "))?;
            Some(vec![Insn::load(size, register(dst, 'r')?, base, off)])
        }
        [dst, "=", order, src] if dst == src => {
            let bits = order.trim_start_matches(['l', 'b']).strip_prefix('e')?;
            let from = if order.starts_with('b') { opcode::FROM_REG } else { 0 };
            let code = opcode::ALU | Alu::End as u8 | from;
            Some(vec![Insn { code, dst: register(dst, 'r')?.0, imm: bits.parse().ok()?, ..Insn::default() }])
        }
        [dst, symbol, src] => arithmetic(dst, symbol, src).map(|insn| vec![insn]),
        _ => None,
    }
}

fn register(text: &str, letter: char) -> Option<Reg> {
    text.strip_prefix(letter)?.parse().ok().filter(|number| *number <= 10).map(Reg)
}

fn call(target: &str) -> Option<Insn> {
    if let Some(id) = target.strip_prefix("kernel[") {
        let id: i32 = id.strip_suffix(']')?.parse().ok()?;
        return Some(Insn::call_kernel(id as u32));
    }
    let code = opcode::JMP | Jump::Call as u8;
    let imm = match target.split_once('#') {
        Some((name, id)) => Helper::from_name(name).map(|helper| helper as i32).filter(|own| id.parse() == Ok(*own))?,
        None => target.parse().ok()?,
    };
    Some(Insn { code, imm, ..Insn::default() })
}

fn with_operand(code: u8, dst: Reg, operand: &str, letter: char) -> Option<Insn> {
    let insn = Insn { code, dst: dst.0, ..Insn::default() };
    match register(operand, letter) {
        Some(src) => Some(Insn { code: code | opcode::FROM_REG, src: src.0, ..insn }),
        None => Some(Insn { imm: operand.parse().ok()?, ..insn }),
    }
}

fn arithmetic(dst: &str, symbol: &str, src: &str) -> Option<Insn> {
    let letter = dst.chars().next()?;
    let class = if letter == 'r' { opcode::ALU64 } else { opcode::ALU };
    let target = register(dst, if letter == 'r' { 'r' } else { 'w' })?;
    if symbol == "=" && src.strip_prefix('-') == Some(dst) {
        return Some(Insn { code: class | Alu::Neg as u8, dst: target.0, ..Insn::default() });
    }
    let op = ALU_OPS.into_iter().find(|op| alu_symbol(*op) == symbol)?;
    with_operand(class | op as u8, target, src, letter)
}

fn jump(left: &str, symbol: &str, right: &str, off: i16) -> Option<Insn> {
    let letter = left.chars().next()?;
    let class = if letter == 'r' { opcode::JMP } else { opcode::JMP32 };
    let dst = register(left, if letter == 'r' { 'r' } else { 'w' })?;
    let op = JUMP_OPS.into_iter().find(|op| jump_symbol(*op) == Some(symbol))?;
    Some(Insn { off, ..with_operand(class | op as u8, dst, right, letter)? })
}

/// `r1 = 0x2a ll`, `r1 = map[3]`, `r1 = map[3][0]+8`, `r2 = function[+9]`.
fn wide(words: &[&str]) -> Option<Vec<Insn>> {
    let (dst, value) = match *words {
        [dst, "=", value, "ll"] => (dst, Imm64::Value(u64::from_str_radix(value.strip_prefix("0x")?, 16).ok()?)),
        [dst, "=", function] if function.starts_with("function[") => {
            let distance = function.strip_prefix("function[")?.strip_suffix(']')?;
            (dst, Imm64::Function(distance.parse().ok()?))
        }
        [dst, "=", map] => {
            let (fd, rest) = map.strip_prefix("map[")?.split_once(']')?;
            let fd = fd.parse().ok()?;
            match rest.strip_prefix("[0]+") {
                Some(offset) => (dst, Imm64::MapValue(fd, offset.parse().ok()?)),
                None => rest.is_empty().then_some((dst, Imm64::Map(fd)))?,
            }
        }
        _ => return None,
    };
    Some(Insn::load_imm64(register(dst, 'r')?, value).to_vec())
}

/// `*(u64 *)(r10 - 8)`
fn place(text: &str) -> Option<(Size, Reg, i16)> {
    let (bits, rest) = text.strip_prefix("*(u")?.split_once(" *)(")?;
    let size = [Size::B1, Size::B2, Size::B4, Size::B8].into_iter().find(|size| bits.parse() == Ok(size.bits()))?;
    let mut words = rest.strip_suffix(')')?.split(' ');
    let (base, sign, off) = (register(words.next()?, 'r')?, words.next()?, words.next()?);
    let off: i32 = off.parse().ok()?;
    let off = if sign == "-" { -off } else { off };
    Some((size, base, off.try_into().ok()?))
}

fn store(text: &str) -> Option<Insn> {
    let (place_text, value) = text.rsplit_once(" = ")?;
    let (size, base, off) = place(place_text)?;
    match register(value, 'r') {
        Some(src) => Some(Insn::store(size, base, off, src)),
        None => Some(Insn::store(size, base, off, value.parse::<i32>().ok()?)),
    }
}

fn atomic(text: &str) -> Option<Insn> {
    let (place_text, value) = text.split_once(" += ")?;
    let (size, base, off) = place(place_text)?;
    matches!(size, Size::B4 | Size::B8).then_some(Insn::atomic_add(size, base, off, register(value, 'r')?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::disasm::disassemble;

    const LISTING: &str = "\
r6 = r1
r0 = *(u64 *)(r6 + 8)
if r0 != 42 goto +3
w1 = w0
r1 = be16 r1
r2 = -r2
*(u32 *)(r10 - 4) = 0
*(u64 *)(r10 - 16) = r2
r1 = map[3]
r2 = r10
r2 += -4
call map_lookup_elem#1
if w0 s<= w2 goto -4
r3 = map[5][0]+24
r3 = 0x123456789abcdef0 ll
lock *(u64 *)(r3 + 0) += r1
r1 s>>= 63
call 9999
call kernel[1234]
.insn 0xff 0 0 0 7
exit
";

    #[test]
    fn a_listing_survives_both_directions() {
        assert_eq!(disassemble(&assemble(LISTING).unwrap()), LISTING);
    }

    #[test]
    fn a_line_that_is_no_instruction_is_named() {
        let error = assemble("exit\n\nr1 plus 2 ; comment\n").unwrap_err();
        assert_eq!(error.to_string(), "line 3: not an instruction: r1 plus 2");
        for wrong in ["r11 = 1", "r1 = r11", "if r1 goto +1", "*(u63 *)(r1 + 0) = 1", "call nothing#1", "goto 99999"] {
            assert!(assemble(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_slots_survive_their_text(slots in prop::collection::vec(
            (any::<u8>(), 0u8..12, 0u8..12, any::<i16>(), prop_oneof![Just(0), any::<i32>(), Just(64)]), 0..12)) {
            let insns: Vec<Insn> =
                slots.into_iter().map(|(code, dst, src, off, imm)| Insn { code, dst, src, off, imm }).collect();
            prop_assert_eq!(assemble(&disassemble(&insns)).unwrap(), insns);
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[rw0-9 +=*()u\\-a-z\\[\\]\n]{0,80}") {
            let _ = assemble(&text);
        }
    }
}
