//! One type at a time: its kind and what it consists of.

use super::{Btf, TypeId};

/// The kinds of types, numbered as in the kernel's `BTF_KIND_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Kind {
    Void = 0,
    Int = 1,
    Ptr = 2,
    Array = 3,
    Struct = 4,
    Union = 5,
    Enum = 6,
    Fwd = 7,
    Typedef = 8,
    Volatile = 9,
    Const = 10,
    Restrict = 11,
    Func = 12,
    FuncProto = 13,
    Var = 14,
    Datasec = 15,
    Float = 16,
    DeclTag = 17,
    TypeTag = 18,
    Enum64 = 19,
}

impl Kind {
    /// The kind of a number found in a blob.
    pub(super) fn from_number(number: u8) -> Option<Self> {
        use Kind::*;
        const KINDS: [Kind; 20] = [
            Void, Int, Ptr, Array, Struct, Union, Enum, Fwd, Typedef, Volatile, Const, Restrict, Func, FuncProto, Var,
            Datasec, Float, DeclTag, TypeTag, Enum64,
        ];
        KINDS.get(number as usize).copied()
    }

    /// Bytes that follow the first 12 of a type with `count` members.
    pub(super) fn trailing_bytes(self, count: u16) -> usize {
        let count = usize::from(count);
        match self {
            Kind::Int | Kind::Var | Kind::DeclTag => 4,
            Kind::Array => 12,
            Kind::Struct | Kind::Union | Kind::Datasec | Kind::Enum64 => count * 12,
            Kind::Enum | Kind::FuncProto => count * 8,
            _ => 0,
        }
    }
}

/// What a type is. Anonymous types have an empty name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type<'a> {
    /// `void`
    Void,
    /// An integer, `bool` and `char` included.
    Int {
        /// As in C: `unsigned int`.
        name: &'a str,
        /// Bytes it takes.
        bytes: u32,
        /// Whether it is signed.
        signed: bool,
        /// Whether it is `_Bool`.
        boolean: bool,
        /// Whether it is a `char` that holds text. Most compilers leave that out: look at the name.
        character: bool,
    },
    /// A pointer to a type.
    Ptr(TypeId),
    /// An array.
    Array {
        /// The type of its elements.
        element: TypeId,
        /// How many; 0 for a flexible array.
        len: u32,
    },
    /// A struct; see [`Btf::members`].
    Struct {
        /// Without `struct`.
        name: &'a str,
        /// Bytes it takes.
        bytes: u32,
    },
    /// A union; see [`Btf::members`].
    Union {
        /// Without `union`.
        name: &'a str,
        /// Bytes it takes.
        bytes: u32,
    },
    /// An enum of any width; see [`Btf::enum_constants`].
    Enum {
        /// Without `enum`.
        name: &'a str,
        /// Bytes it takes.
        bytes: u32,
        /// Whether its constants are signed.
        signed: bool,
    },
    /// A struct or union of which only the name is known.
    Fwd {
        /// Without `struct` or `union`.
        name: &'a str,
        /// Whether it is a union.
        union: bool,
    },
    /// Another name of a type.
    Typedef {
        /// The name.
        name: &'a str,
        /// What it stands for.
        of: TypeId,
    },
    /// `const`, `volatile`, `restrict` or a tag such as `__user`.
    Qualified {
        /// The tag; empty for the C qualifiers.
        tag: &'a str,
        /// What it qualifies.
        of: TypeId,
    },
    /// A function.
    Func {
        /// The symbol.
        name: &'a str,
        /// Its [`Type::FuncProto`].
        proto: TypeId,
    },
    /// What a function takes and gives; see [`Btf::params`].
    FuncProto {
        /// What it returns.
        result: TypeId,
    },
    /// A variable.
    Var {
        /// The symbol.
        name: &'a str,
        /// Its type.
        of: TypeId,
    },
    /// A section of variables.
    Datasec {
        /// The section's name.
        name: &'a str,
        /// Bytes it takes.
        bytes: u32,
    },
    /// A floating point number.
    Float {
        /// As in C.
        name: &'a str,
        /// Bytes it takes.
        bytes: u32,
    },
    /// A note on a declaration.
    DeclTag {
        /// What is noted.
        name: &'a str,
        /// What it is about.
        of: TypeId,
    },
}

/// A constant of an enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnumConstant<'a> {
    /// The name.
    pub name: &'a str,
    /// The value; one above `i64::MAX` of an unsigned 64-bit enum wraps.
    pub value: i64,
}

/// A parameter of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name; may be empty.
    pub name: &'a str,
    /// Its type. A last parameter without name and of type `void` stands for `...`.
    pub ty: TypeId,
}

impl Btf {
    /// What a type is; `None` for a number that is not in this blob.
    pub fn ty(&self, id: TypeId) -> Option<Type<'_>> {
        let kind = self.kind(id)?;
        if kind == Kind::Void {
            return Some(Type::Void);
        }
        let name = self.name(id);
        let third = self.word(id, 2)?;
        let of = TypeId(third);
        let flag = self.word(id, 1)? >> 31 == 1;
        Some(match kind {
            Kind::Void => Type::Void,
            Kind::Int => {
                let encoding = self.word(id, 3)? >> 24;
                Type::Int {
                    name,
                    bytes: third,
                    signed: encoding & 1 != 0,
                    character: encoding & 2 != 0,
                    boolean: encoding & 4 != 0,
                }
            }
            Kind::Ptr => Type::Ptr(of),
            Kind::Array => Type::Array { element: TypeId(self.word(id, 3)?), len: self.word(id, 5)? },
            Kind::Struct => Type::Struct { name, bytes: third },
            Kind::Union => Type::Union { name, bytes: third },
            Kind::Enum | Kind::Enum64 => Type::Enum { name, bytes: third, signed: flag },
            Kind::Fwd => Type::Fwd { name, union: flag },
            Kind::Typedef => Type::Typedef { name, of },
            Kind::Volatile | Kind::Const | Kind::Restrict | Kind::TypeTag => Type::Qualified { tag: name, of },
            Kind::Func => Type::Func { name, proto: of },
            Kind::FuncProto => Type::FuncProto { result: of },
            Kind::Var => Type::Var { name, of },
            Kind::Datasec => Type::Datasec { name, bytes: third },
            Kind::Float => Type::Float { name, bytes: third },
            Kind::DeclTag => Type::DeclTag { name, of },
        })
    }

    /// A type's kind; `None` for a number that is not in this blob.
    pub fn kind(&self, id: TypeId) -> Option<Kind> {
        self.kinds.get(id.0 as usize).copied()
    }

    /// A type's own name; empty where it has none.
    pub fn name(&self, id: TypeId) -> &str {
        self.names.get(id.0 as usize).map_or("", |offset| self.string(*offset))
    }

    /// How many members, constants or parameters a type has.
    pub(super) fn count(&self, id: TypeId) -> usize {
        self.word(id, 1).map_or(0, |info| (info & 0xffff) as usize)
    }

    /// The constants of an enum in their order; none for other types.
    pub fn enum_constants(&self, id: TypeId) -> impl Iterator<Item = EnumConstant<'_>> {
        let words = match self.kind(id) {
            Some(Kind::Enum) => 2,
            Some(Kind::Enum64) => 3,
            _ => 0,
        };
        let count = if words == 0 { 0 } else { self.count(id) };
        let signed = matches!(self.ty(id), Some(Type::Enum { signed: true, .. }));
        (0..count).filter_map(move |index| {
            let at = 3 + index * words;
            let low = self.word(id, at + 1)?;
            let value = match (words, signed) {
                (2, true) => i64::from(low as i32),
                (2, false) => i64::from(low),
                _ => (u64::from(self.word(id, at + 2)?) << 32 | u64::from(low)) as i64,
            };
            Some(EnumConstant { name: self.string(self.word(id, at)?), value })
        })
    }

    /// The parameters of a function or of its prototype, in order; none for other types.
    pub fn params(&self, id: TypeId) -> impl Iterator<Item = Param<'_>> {
        let proto = match self.ty(id) {
            Some(Type::Func { proto, .. }) => proto,
            _ => id,
        };
        let count = if self.kind(proto) == Some(Kind::FuncProto) { self.count(proto) } else { 0 };
        (0..count).filter_map(move |index| {
            let at = 3 + index * 2;
            Some(Param { name: self.string(self.word(proto, at)?), ty: TypeId(self.word(proto, at + 1)?) })
        })
    }
}
