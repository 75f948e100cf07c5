//! New type information: types put together one by one, as from a program's debug information.
//!
//! A type may name others that come later: its number is [`Builder::reserve`]d first and [`Builder::set`] when it is known. What is never
//! set reads as `void`.

use std::collections::HashMap;

use super::types::Kind;
use super::{Btf, BtfError, HEADER, MAGIC, TypeId};

/// Members, constants and parameters a type may have: the kernel's format counts them in 16 bits.
pub const MOST_PARTS: usize = u16::MAX as usize;
/// Bits of an offset in a struct that has bit-fields.
const OFFSET_BITS: u32 = 24;

/// A member of a new struct or union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMember {
    /// Its name; empty for an anonymous struct or union.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// Bits from the start of the struct.
    pub bit_offset: u32,
    /// Bits it takes, where it is a bit-field.
    pub bit_width: Option<u8>,
}

/// What a new type is. Anonymous types have an empty name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are what the variants of `Type` are")]
pub enum NewType {
    Int { name: String, bytes: u32, signed: bool, boolean: bool },
    Float { name: String, bytes: u32 },
    Ptr(TypeId),
    Array { element: TypeId, len: u32 },
    Struct { name: String, bytes: u32, union: bool, members: Vec<NewMember> },
    Enum { name: String, bytes: u32, signed: bool, constants: Vec<(String, i64)> },
    Fwd { name: String, union: bool },
    Typedef { name: String, of: TypeId },
    Const(TypeId),
    Volatile(TypeId),
    Restrict(TypeId),
    FuncProto { result: TypeId, params: Vec<(String, TypeId)> },
    Func { name: String, proto: TypeId },
}

/// A type as the format has it: three words, and what follows them.
#[derive(Clone, Debug)]
struct Words {
    name: u32,
    info: u32,
    third: u32,
    rest: Vec<u32>,
}

/// Types that are being put together.
#[derive(Debug, Default)]
pub struct Builder {
    strings: Vec<u8>,
    known: HashMap<String, u32>,
    types: Vec<Option<Words>>,
}

impl Builder {
    /// Nothing but `void`.
    pub fn new() -> Self {
        Self { strings: vec![0], known: HashMap::new(), types: vec![] }
    }

    /// How many types there are so far, `void` not included.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// The number of a type that is to be set.
    pub fn reserve(&mut self) -> TypeId {
        self.types.push(None);
        TypeId(self.types.len() as u32)
    }

    /// A type with its number.
    pub fn add(&mut self, ty: &NewType) -> TypeId {
        let id = self.reserve();
        self.set(id, ty);
        id
    }

    /// Says what a reserved type is. Parts beyond [`MOST_PARTS`] are left out.
    pub fn set(&mut self, id: TypeId, ty: &NewType) {
        let words = self.words(ty);
        let slot = (id.0 as usize).checked_sub(1).and_then(|index| self.types.get_mut(index));
        if let Some(slot) = slot {
            *slot = Some(words);
        }
    }

    fn words(&mut self, ty: &NewType) -> Words {
        match ty {
            NewType::Int { name, bytes, signed, boolean } => {
                let encoding = u32::from(*signed) | u32::from(*boolean) << 2;
                let bits = (bytes * 8).min(0xff);
                self.words_of(Kind::Int, name, false, *bytes, vec![encoding << 24 | bits])
            }
            NewType::Float { name, bytes } => self.words_of(Kind::Float, name, false, *bytes, vec![]),
            NewType::Ptr(to) => self.words_of(Kind::Ptr, "", false, to.0, vec![]),
            NewType::Array { element, len } => self.words_of(Kind::Array, "", false, 0, vec![element.0, 0, *len]),
            NewType::Struct { name, bytes, union, members } => self.structure(name, *bytes, *union, members),
            NewType::Enum { name, bytes, signed, constants } => self.enumeration(name, *bytes, *signed, constants),
            NewType::Fwd { name, union } => self.words_of(Kind::Fwd, name, *union, 0, vec![]),
            NewType::Typedef { name, of } => self.words_of(Kind::Typedef, name, false, of.0, vec![]),
            NewType::Const(of) => self.words_of(Kind::Const, "", false, of.0, vec![]),
            NewType::Volatile(of) => self.words_of(Kind::Volatile, "", false, of.0, vec![]),
            NewType::Restrict(of) => self.words_of(Kind::Restrict, "", false, of.0, vec![]),
            NewType::FuncProto { result, params } => {
                let rest: Vec<u32> =
                    params.iter().take(MOST_PARTS).flat_map(|(name, ty)| [self.string(name), ty.0]).collect();
                self.words_of(Kind::FuncProto, "", false, result.0, rest)
            }
            NewType::Func { name, proto } => self.words_of(Kind::Func, name, false, proto.0, vec![]),
        }
    }

    fn structure(&mut self, name: &str, bytes: u32, union: bool, members: &[NewMember]) -> Words {
        let with_widths = members.iter().any(|member| member.bit_width.is_some());
        let mut rest = Vec::with_capacity(members.len() * 3);
        for member in members.iter().take(MOST_PARTS) {
            let place = match with_widths {
                // A member that is too far away for this form cannot be told.
                true if member.bit_offset >> OFFSET_BITS != 0 => continue,
                true => u32::from(member.bit_width.unwrap_or(0)) << OFFSET_BITS | member.bit_offset,
                false => member.bit_offset,
            };
            rest.extend([self.string(&member.name), member.ty.0, place]);
        }
        self.words_of(if union { Kind::Union } else { Kind::Struct }, name, with_widths, bytes, rest)
    }

    fn enumeration(&mut self, name: &str, bytes: u32, signed: bool, constants: &[(String, i64)]) -> Words {
        let wide = bytes > 4;
        let mut rest = Vec::with_capacity(constants.len() * 3);
        for (name, value) in constants.iter().take(MOST_PARTS) {
            rest.extend([self.string(name), *value as u32]);
            if wide {
                rest.push((*value >> 32) as u32);
            }
        }
        self.words_of(if wide { Kind::Enum64 } else { Kind::Enum }, name, signed, bytes, rest)
    }

    fn words_of(&mut self, kind: Kind, name: &str, flag: bool, third: u32, rest: Vec<u32>) -> Words {
        let words_each = kind.trailing_bytes(1) / 4;
        let counted = matches!(kind, Kind::Struct | Kind::Union | Kind::Enum | Kind::Enum64 | Kind::FuncProto);
        let count = if counted { rest.len().checked_div(words_each).unwrap_or(0) as u32 } else { 0 };
        let info = u32::from(flag) << 31 | (kind as u32) << 24 | count;
        Words { name: self.string(name), info, third, rest }
    }

    /// Where a string is; it ends at its first NUL.
    fn string(&mut self, text: &str) -> u32 {
        let text = text.split('\0').next().unwrap_or_default();
        if text.is_empty() {
            return 0;
        }
        if let Some(at) = self.known.get(text) {
            return *at;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(text.bytes());
        self.strings.push(0);
        self.known.insert(text.to_owned(), at);
        at
    }

    /// The types, to be read.
    ///
    /// # Errors
    /// Where they are more than the format holds.
    pub fn finish(self) -> Result<Btf, BtfError> {
        let mut types = Vec::with_capacity(self.types.len() * 24);
        for words in self.types {
            let void = || Words { name: 0, info: (Kind::Const as u32) << 24, third: 0, rest: vec![] };
            let words = words.unwrap_or_else(void);
            let head = [words.name, words.info, words.third];
            types.extend(head.into_iter().chain(words.rest).flat_map(u32::to_le_bytes));
        }
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| BtfError::Section("type"));
        let words = [HEADER as u32, 0, length(&types)?, length(&types)?, length(&self.strings)?];
        let mut data = Vec::with_capacity(HEADER + types.len() + self.strings.len());
        data.extend(MAGIC.to_le_bytes());
        data.extend([1, 0]);
        data.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        data.extend(types);
        data.extend(self.strings);
        Btf::parse(data)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Member, Type};
    use super::*;

    fn int(builder: &mut Builder, name: &str, bytes: u32, signed: bool) -> TypeId {
        builder.add(&NewType::Int { name: name.to_owned(), bytes, signed, boolean: false })
    }

    #[test]
    fn what_is_built_reads_back() {
        let mut builder = Builder::new();
        let (node, number) = (builder.reserve(), int(&mut builder, "int", 4, true));
        let next = builder.add(&NewType::Ptr(node));
        let member = |name: &str, ty, bit_offset, bit_width| NewMember { name: name.into(), ty, bit_offset, bit_width };
        let members = vec![
            member("next", next, 0, None),
            member("low", number, 64, Some(3)),
            member("high", number, 67, Some(29)),
        ];
        builder.set(node, &NewType::Struct { name: "node".into(), bytes: 16, union: false, members });
        let colours = vec![("RED".to_owned(), -1), ("BLUE".to_owned(), 7)];
        builder.add(&NewType::Enum { name: "colour".into(), bytes: 4, signed: true, constants: colours });
        let huge = vec![("HUGE".to_owned(), 1 << 40)];
        builder.add(&NewType::Enum { name: "wide".into(), bytes: 8, signed: false, constants: huge });
        let params = vec![("head".to_owned(), next), ("count".to_owned(), number)];
        let proto = builder.add(&NewType::FuncProto { result: number, params });
        let walk = builder.add(&NewType::Func { name: "walk".into(), proto });
        let btf = builder.finish().expect("a blob");

        assert_eq!(btf.ty(node), Some(Type::Struct { name: "node", bytes: 16 }));
        assert_eq!(
            btf.member(node, "high"),
            Some(Member { name: "high", ty: number, bit_offset: 67, bit_width: Some(29) })
        );
        assert_eq!(btf.pointee(btf.member(node, "next").expect("a member").ty), Some(node));
        let names: Vec<&str> = btf.params(walk).map(|param| param.name).collect();
        assert_eq!(names, ["head", "count"]);
        let enums: Vec<i64> = [btf.find_enum("colour"), btf.find_enum("wide")]
            .into_iter()
            .flatten()
            .flat_map(|id| btf.enum_constants(id))
            .map(|c| c.value)
            .collect();
        assert_eq!(enums, [-1, 7, 1 << 40]);
    }

    #[test]
    fn a_type_that_is_never_told_is_void() {
        let mut builder = Builder::new();
        let missing = builder.reserve();
        let pointer = builder.add(&NewType::Ptr(missing));
        let btf = builder.finish().expect("a blob");
        assert_eq!(btf.ty(btf.resolve(missing)), Some(Type::Void));
        assert_eq!(btf.declaration(pointer, "x"), "const void *x");
    }

    #[test]
    fn a_member_too_far_for_its_form_is_left_out() {
        let mut builder = Builder::new();
        let number = int(&mut builder, "int", 4, true);
        let member =
            |name: &str, bit_offset, bit_width| NewMember { name: name.into(), ty: number, bit_offset, bit_width };
        let members = vec![member("bits", 0, Some(2)), member("far", 1 << 24, None)];
        let id = builder.add(&NewType::Struct { name: "s".into(), bytes: 1 << 22, union: false, members });
        let btf = builder.finish().expect("a blob");
        assert_eq!(btf.members(id).map(|member| member.name).collect::<Vec<_>>(), ["bits"]);
    }
}
