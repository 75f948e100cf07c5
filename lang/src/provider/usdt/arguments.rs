//! Where the arguments of a static marker are, as the note in its file writes it: `-4@%edi 8@-16(%rbp) 4@$7`.
//!
//! Each is its size in bytes, negative where it is signed, and an operand in the assembler's notation. Source of the form:
//! systemtap's sys/sdt.h and the assemblers of the two architectures.

use crate::target::Arch;

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkerArgument {
    /// 1, 2, 4 or 8.
    pub bytes: u8,
    /// Whether it is extended by its sign.
    pub signed: bool,
    /// Where it is.
    pub source: Source,
}

/// Where an argument is. Registers are offsets into the kernel's `struct pt_regs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Source {
    /// A place that is not known, such as a vector register or a variable of the program.
    Unknown,
    Constant(i64),
    /// From a bit of the register on.
    Register {
        register: i32,
        shift: u8,
    },
    /// At the sum of a register, another one times a number, and an offset in bytes.
    Memory {
        base: Option<i32>,
        index: Option<(i32, u8)>,
        offset: i64,
    },
}

impl MarkerArgument {
    /// An argument that may be anywhere: of a marker of which nothing is known.
    pub fn anywhere() -> Self {
        Self { bytes: 8, signed: true, source: Source::Constant(0) }
    }
}

/// Reads all arguments. A script that reads none that is unknown need not care.
pub fn parse(text: &str, arch: Arch) -> Vec<MarkerArgument> {
    let unknown = MarkerArgument { bytes: 8, signed: false, source: Source::Unknown };
    words(text).iter().map(|word| argument(word, arch).unwrap_or_else(|| unknown.clone())).collect()
}

/// Arguments are separated by blanks, but `[sp, 8]` is one.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut inside) = (vec![], String::new(), false);
    for c in text.chars() {
        inside = (inside || c == '[') && c != ']';
        if c.is_whitespace() && !inside {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn argument(text: &str, arch: Arch) -> Option<MarkerArgument> {
    // Old assemblers leave the size out where it is that of a register.
    let (size, operand) = text.split_once('@').unwrap_or(("8", text));
    let size: i8 = size.parse().ok()?;
    let source = match arch {
        Arch::X86_64 => x86(operand, arch)?,
        Arch::Aarch64 => aarch64(operand, arch)?,
    };
    let bytes = size.unsigned_abs();
    matches!(bytes, 1 | 2 | 4 | 8).then_some(MarkerArgument { bytes, signed: size < 0, source })
}

fn x86(operand: &str, arch: Arch) -> Option<Source> {
    if let Some(constant) = operand.strip_prefix('$') {
        return number(constant).map(Source::Constant);
    }
    if let Some(register) = operand.strip_prefix('%') {
        let high = matches!(register, "ah" | "bh" | "ch" | "dh");
        let low = if high { register.replace('h', "l") } else { register.to_owned() };
        return Some(Source::Register { register: x86_register(&low, arch)?, shift: if high { 8 } else { 0 } });
    }
    let (offset, inside) = operand.strip_suffix(')')?.split_once('(')?;
    let offset = if offset.is_empty() { 0 } else { number(offset)? };
    let mut parts = inside.split(',').map(str::trim);
    let base = match parts.next()? {
        "" => None,
        base => Some(x86_register(base.strip_prefix('%')?, arch)?),
    };
    let index = match parts.next() {
        Some(index) => {
            let scale = parts.next().map_or(Some(1), |scale| scale.parse().ok())?;
            Some((x86_register(index.strip_prefix('%')?, arch)?, scale))
        }
        None => None,
    };
    Some(Source::Memory { base, index, offset })
}

/// Every width of a register is the low part of the widest: `rax`, `eax`, `ax`, `al`.
fn x86_register(name: &str, arch: Arch) -> Option<i32> {
    let numbered = name.strip_prefix('r').and_then(|rest| rest.strip_suffix(['d', 'w', 'b']).or(Some(rest)));
    if let Some(number) = numbered.filter(|number| number.bytes().all(|b| b.is_ascii_digit()) && !number.is_empty()) {
        return find(&format!("r{number}"), arch);
    }
    let short = match name {
        "al" => "ax",
        "bl" => "bx",
        "cl" => "cx",
        "dl" => "dx",
        "sil" => "si",
        "dil" => "di",
        "bpl" => "bp",
        "spl" => "sp",
        other => other.strip_prefix(['r', 'e']).unwrap_or(other),
    };
    find(short, arch)
}

fn aarch64(operand: &str, arch: Arch) -> Option<Source> {
    let register = |name: &str| match name {
        "sp" | "wsp" => find("sp", arch),
        "fp" => find("r29", arch),
        "lr" => find("r30", arch),
        other => find(&format!("r{}", other.strip_prefix(['x', 'w'])?), arch),
    };
    let number = |text: &str| number(text.trim_start_matches('#'));
    if let Some(inside) = operand.strip_prefix('[') {
        let mut parts = inside.strip_suffix(']')?.split(',').map(str::trim);
        let base = Some(register(parts.next()?)?);
        let Some(second) = parts.next() else {
            return Some(Source::Memory { base, index: None, offset: 0 });
        };
        if let Some(offset) = number(second) {
            return Some(Source::Memory { base, index: None, offset });
        }
        let shift = match parts.next() {
            Some(shift) => number(shift.strip_prefix("lsl")?.trim())?,
            None => 0,
        };
        let scale = 1_u8.checked_shl(shift.try_into().ok()?)?;
        return Some(Source::Memory { base, index: Some((register(second)?, scale)), offset: 0 });
    }
    match number(operand) {
        Some(constant) => Some(Source::Constant(constant)),
        None => Some(Source::Register { register: register(operand)?, shift: 0 }),
    }
}

fn find(name: &str, arch: Arch) -> Option<i32> {
    arch.registers().named.iter().find(|(known, _)| *known == name).map(|(_, offset)| *offset)
}

/// A number of any sign and base, also one that fits 64 bits only without a sign.
fn number(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => digits.parse::<u64>().ok()?,
    } as i64;
    Some(if negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, arch: Arch) -> MarkerArgument {
        let parsed = parse(text, arch);
        assert_eq!(parsed.len(), 1, "{text}");
        parsed[0].clone()
    }

    #[test]
    fn registers_of_every_width_are_parts_of_the_same() {
        for (text, offset) in [("8@%rdi", 112), ("-4@%edi", 112), ("1@%dil", 112), ("2@%ax", 80), ("4@%r8d", 72)] {
            assert_eq!(one(text, Arch::X86_64).source, Source::Register { register: offset, shift: 0 }, "{text}");
        }
        assert_eq!(one("1@%dh", Arch::X86_64).source, Source::Register { register: 96, shift: 8 });
        let narrow = one("-4@%edi", Arch::X86_64);
        assert_eq!((narrow.bytes, narrow.signed), (4, true));
    }

    #[test]
    fn memory_is_a_base_an_offset_and_perhaps_an_index() {
        let stack = Source::Memory { base: Some(32), index: None, offset: -16 };
        assert_eq!(one("8@-16(%rbp)", Arch::X86_64).source, stack);
        let element = Source::Memory { base: Some(80), index: Some((112, 8)), offset: 0 };
        assert_eq!(one("8@(%rax,%rdi,8)", Arch::X86_64).source, element);
        let element = Source::Memory { base: None, index: Some((112, 4)), offset: 16 };
        assert_eq!(one("4@16(,%rdi,4)", Arch::X86_64).source, element);
        let variable = Source::Memory { base: Some(128), index: None, offset: 4096 };
        assert_eq!(one("4@4096(%rip)", Arch::X86_64).source, variable);
    }

    #[test]
    fn constants_keep_their_sign() {
        assert_eq!(one("-4@$-9", Arch::X86_64).source, Source::Constant(-9));
        assert_eq!(one("8@$0x10", Arch::X86_64).source, Source::Constant(16));
        assert_eq!(one("8@$18446744073709551615", Arch::X86_64).source, Source::Constant(-1));
    }

    #[test]
    fn the_other_architecture_writes_them_its_own_way() {
        assert_eq!(one("8@x3", Arch::Aarch64).source, Source::Register { register: 24, shift: 0 });
        assert_eq!(
            one("-4@[sp, 12]", Arch::Aarch64).source,
            Source::Memory { base: Some(248), index: None, offset: 12 }
        );
        let element = Source::Memory { base: Some(0), index: Some((8, 1)), offset: 0 };
        assert_eq!(one("4@[x0, x1]", Arch::Aarch64).source, element);
        let element = Source::Memory { base: Some(0), index: Some((8, 4)), offset: 0 };
        assert_eq!(one("4@[x0, x1, lsl #2]", Arch::Aarch64).source, element);
        assert_eq!(one("4@[x0, w1, sxtw 2]", Arch::Aarch64).source, Source::Unknown);
        assert_eq!(one("8@v0", Arch::Aarch64).source, Source::Unknown);
        assert_eq!(one("8@lr", Arch::Aarch64).source, Source::Register { register: 240, shift: 0 });
        assert_eq!(one("4@7", Arch::Aarch64).source, Source::Constant(7));
    }

    #[test]
    fn what_is_not_known_takes_its_place_among_the_arguments() {
        let sources = |text| parse(text, Arch::X86_64).into_iter().map(|argument| argument.source).collect::<Vec<_>>();
        assert_eq!(sources("8@%xmm0 8@%rdi"), [Source::Unknown, Source::Register { register: 112, shift: 0 }]);
        assert_eq!(sources("8@counter(%rip)"), [Source::Unknown]);
        assert_eq!(sources(""), []);
    }
}
