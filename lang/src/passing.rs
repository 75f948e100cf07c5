//! Where a function of a program finds its arguments when it is entered: the calling conventions, applied to its types.
//!
//! Sources: System V ABI for AMD64, section 3.2.3, and the Procedure Call Standard for the Arm 64-bit Architecture, section 6.8. Numbers
//! with a fraction go in registers that a probe does not see.

use bpf::btf::{Btf, Type, TypeId};

use crate::target::Arch;

/// Bytes of a word.
const WORD: u32 = 8;
/// The deepest nesting of structs looked into.
const DEPTH: u32 = 16;
/// The most parts of a struct looked at: those that go in registers are 16 at most, and unions of such are small.
const MOST_PARTS: u32 = 512;

/// Where an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In as many registers for arguments as it has words, from this one on.
    Registers(usize),
    /// So many bytes behind where the arguments without a register begin.
    Stack(u32),
    /// At the address that this register for arguments holds.
    Behind(usize),
    /// Where a probe cannot look.
    Hidden,
}

/// An argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument<'b> {
    /// The parameter's name; may be empty.
    pub name: &'b str,
    /// Its type.
    pub ty: TypeId,
    /// Where it is.
    pub place: Place,
}

/// How a value of a type is handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Class {
    /// Words that take a register for integers.
    integers: usize,
    /// Words that take one for fractions.
    fractions: usize,
    /// Whether it lies in memory.
    memory: bool,
}

/// What of the registers and the stack is taken.
struct Taken {
    arch: Arch,
    registers: usize,
    integers: usize,
    fractions: usize,
    stack: u32,
}

/// The arguments of a function in their order, where `registers` of them are for integers.
pub fn arguments(btf: &Btf, function: TypeId, arch: Arch, registers: usize) -> Vec<Argument<'_>> {
    let mut taken = Taken { arch, registers, integers: 0, fractions: 0, stack: 0 };
    // What is returned in memory has its address handed over first.
    let hidden = arch == Arch::X86_64 && result(btf, function).is_some_and(|ty| class(btf, ty, arch).memory);
    taken.integers += usize::from(hidden);
    btf.params(function)
        .map(|param| Argument { name: param.name, ty: param.ty, place: taken.place(btf, param.ty) })
        .collect()
}

fn result(btf: &Btf, function: TypeId) -> Option<TypeId> {
    let Type::Func { proto, .. } = btf.ty(function)? else { return None };
    match btf.ty(proto)? {
        Type::FuncProto { result } => Some(result),
        _ => None,
    }
}

impl Taken {
    fn place(&mut self, btf: &Btf, ty: TypeId) -> Place {
        let (class, bytes) = (class(btf, ty, self.arch), size(btf, ty));
        let words = class.integers + class.fractions;
        // Numbers of two words begin with an even register there.
        if self.arch == Arch::Aarch64 && is_wide_integer(btf, ty) {
            self.integers = self.integers.next_multiple_of(2);
        }
        if class.memory && self.arch == Arch::Aarch64 {
            return match self.integers < self.registers {
                true => {
                    self.integers += 1;
                    Place::Behind(self.integers - 1)
                }
                false => {
                    self.stack += WORD;
                    Place::Hidden
                }
            };
        }
        let fits = self.integers + class.integers <= self.registers && self.fractions + class.fractions <= 8;
        if class.memory || !fits {
            if self.arch == Arch::Aarch64 && class.integers > 0 {
                self.integers = self.registers;
            }
            let align = if is_wide_integer(btf, ty) { 2 * WORD } else { WORD };
            let at = self.stack.next_multiple_of(align);
            self.stack = at.saturating_add(bytes.max(1).next_multiple_of(WORD));
            return Place::Stack(at);
        }
        let first = self.integers;
        self.integers += class.integers;
        self.fractions += class.fractions;
        if class.fractions == 0 && words > 0 { Place::Registers(first) } else { Place::Hidden }
    }
}

fn size(btf: &Btf, ty: TypeId) -> u32 {
    btf.size_of(ty).and_then(|bytes| u32::try_from(bytes).ok()).unwrap_or(WORD).min(1 << 30)
}

fn is_wide_integer(btf: &Btf, ty: TypeId) -> bool {
    matches!(btf.ty(btf.resolve(ty)), Some(Type::Int { bytes: 16, .. }))
}

fn class(btf: &Btf, ty: TypeId, arch: Arch) -> Class {
    let resolved = btf.resolve(ty);
    match btf.ty(resolved) {
        // `long double` goes in memory on one, in a register on the other.
        Some(Type::Float { bytes, .. }) if bytes > WORD && arch == Arch::X86_64 => {
            Class { memory: true, ..Class::default() }
        }
        Some(Type::Float { .. }) => Class { fractions: 1, ..Class::default() },
        Some(Type::Struct { bytes, .. } | Type::Union { bytes, .. }) => composed(btf, resolved, bytes, arch),
        Some(Type::Int { bytes: 16, .. }) => Class { integers: 2, ..Class::default() },
        _ => Class { integers: 1, ..Class::default() },
    }
}

/// A struct: up to two words of it go in registers.
fn composed(btf: &Btf, ty: TypeId, bytes: u32, arch: Arch) -> Class {
    let mut parts = Parts { budget: MOST_PARTS, integers: [false; 2], any_integer: false, fractions: 0, wide: false };
    parts.note(btf, ty, 0, DEPTH);
    // Of what is too large to be looked through, nothing goes in a register.
    parts.wide |= parts.budget == 0;
    if arch == Arch::Aarch64 && !parts.any_integer && (1..=4).contains(&parts.fractions) {
        // Up to four of the same kind.
        return Class { fractions: parts.fractions, ..Class::default() };
    }
    if bytes > 2 * WORD || parts.wide {
        return Class { memory: true, ..Class::default() };
    }
    let words = bytes.div_ceil(WORD) as usize;
    let integers = match arch {
        Arch::X86_64 => parts.integers.iter().take(words).filter(|is| **is).count(),
        Arch::Aarch64 => words,
    };
    Class { integers, fractions: words - integers, memory: false }
}

/// What a struct consists of.
struct Parts {
    /// How many more parts are looked at.
    budget: u32,
    /// Which of its first two words hold an integer.
    integers: [bool; 2],
    any_integer: bool,
    fractions: usize,
    /// Whether one of its fractions takes more than a word.
    wide: bool,
}

impl Parts {
    fn note(&mut self, btf: &Btf, ty: TypeId, bits: u32, depth: u32) {
        let Some(depth) = depth.checked_sub(1) else { return };
        self.budget = self.budget.saturating_sub(1);
        if self.budget == 0 {
            return;
        }
        let resolved = btf.resolve(ty);
        match btf.ty(resolved) {
            Some(Type::Struct { .. } | Type::Union { .. }) => {
                for member in btf.members(resolved) {
                    self.note(btf, member.ty, bits.saturating_add(member.bit_offset), depth);
                }
            }
            Some(Type::Array { element, len }) => {
                let each = size(btf, element).saturating_mul(8);
                for index in 0..len.min(MOST_PARTS) {
                    self.note(btf, element, bits.saturating_add(index.saturating_mul(each)), depth);
                }
            }
            Some(Type::Float { bytes, .. }) => {
                self.fractions += 1;
                self.wide |= bytes > WORD;
            }
            _ => {
                self.any_integer = true;
                for word in
                    [bits / 64, bits.saturating_add((size(btf, resolved).saturating_mul(8)).saturating_sub(1)) / 64]
                {
                    if let Some(holds) = self.integers.get_mut(word as usize) {
                        *holds = true;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bpf::btf::build::{Builder, NewMember, NewType};

    use super::*;

    /// Types to make functions of.
    struct Types {
        builder: Builder,
        int: TypeId,
        double: TypeId,
        wide: TypeId,
    }

    impl Types {
        fn new() -> Self {
            let mut builder = Builder::new();
            let int = builder.add(&NewType::Int { name: "int".into(), bytes: 4, signed: true, boolean: false });
            let double = builder.add(&NewType::Float { name: "double".into(), bytes: 8 });
            let wide = builder.add(&NewType::Int { name: "__int128".into(), bytes: 16, signed: true, boolean: false });
            Self { builder, int, double, wide }
        }

        fn structure(&mut self, members: &[(TypeId, u32)], bytes: u32) -> TypeId {
            let member = |(ty, offset): &(TypeId, u32)| NewMember {
                name: "m".into(),
                ty: *ty,
                bit_offset: offset * 8,
                bit_width: None,
            };
            let members = members.iter().map(member).collect();
            self.builder.add(&NewType::Struct { name: "s".into(), bytes, union: false, members })
        }

        fn places(mut self, result: TypeId, params: &[TypeId], arch: Arch) -> Vec<Place> {
            let params = params.iter().map(|ty| ("p".to_owned(), *ty)).collect();
            let proto = self.builder.add(&NewType::FuncProto { result, params });
            let function = self.builder.add(&NewType::Func { name: "f".into(), proto });
            let btf = self.builder.finish().expect("types");
            let registers = arch.registers().args.len();
            arguments(&btf, function, arch, registers).into_iter().map(|argument| argument.place).collect()
        }
    }

    #[test]
    fn fractions_take_no_register_for_integers() {
        let types = Types::new();
        let (int, double) = (types.int, types.double);
        let places = types.places(TypeId::VOID, &[int, double, int], Arch::X86_64);
        assert_eq!(places, [Place::Registers(0), Place::Hidden, Place::Registers(1)]);
    }

    #[test]
    fn what_has_no_register_follows_on_the_stack() {
        let types = Types::new();
        let int = types.int;
        let places = types.places(TypeId::VOID, &[int; 8], Arch::X86_64);
        assert_eq!(places[5..], [Place::Registers(5), Place::Stack(0), Place::Stack(8)]);
    }

    #[test]
    fn small_structs_go_in_registers_and_large_ones_in_memory() {
        let mut types = Types::new();
        let (int, double) = (types.int, types.double);
        let small = types.structure(&[(int, 0), (int, 8)], 16);
        let mixed = types.structure(&[(double, 0), (int, 8)], 16);
        let large = types.structure(&[(int, 0), (int, 16)], 24);
        let params = [small, mixed, large, int];
        let places = types.places(TypeId::VOID, &params, Arch::X86_64);
        assert_eq!(places, [Place::Registers(0), Place::Hidden, Place::Stack(0), Place::Registers(3)]);
    }

    #[test]
    fn on_aarch64_large_structs_are_behind_a_pointer_and_wide_numbers_in_even_registers() {
        let mut types = Types::new();
        let (int, wide) = (types.int, types.wide);
        let large = types.structure(&[(int, 0), (int, 16)], 24);
        let places = types.places(TypeId::VOID, &[large, wide, int], Arch::Aarch64);
        assert_eq!(places, [Place::Behind(0), Place::Registers(2), Place::Registers(4)]);
    }

    #[test]
    fn a_result_in_memory_takes_the_first_register() {
        let mut types = Types::new();
        let int = types.int;
        let large = types.structure(&[(int, 0), (int, 16)], 24);
        assert_eq!(types.places(large, &[int], Arch::X86_64), [Place::Registers(1)]);
    }
}
