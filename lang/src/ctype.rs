//! C types, as the language sees them: those of the kernel from its BTF, and where members of any struct are.
//!
//! Arrays of `char` are strings, everything behind a pointer stays a name until a member of it is asked for.

use std::fmt;
use std::rc::Rc;

use bpf::btf::{Btf, Kind, Type, TypeId};
use report::schema;

use crate::types::{EnumType, Layout, Space, Ty};

/// A struct or union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructType {
    /// With `struct` or `union`.
    pub name: Rc<str>,
    /// Bytes.
    pub size: u32,
    /// Where its members are described.
    pub source: Source,
}

/// Where the members of a struct are described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the kernel's BTF.
    Kernel(TypeId),
    /// Not yet: only the name is known, as where a struct points to its own kind.
    Named,
    /// In the script.
    Script {
        /// Those of anonymous structs and unions included, in their order.
        members: Rc<[Member]>,
        /// The boundary a value begins on, in bytes.
        align: u32,
    },
}

/// A member of a struct that the script defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

impl StructType {
    /// A struct that the script defines leaves the kernel with all its members; of others they do one by one.
    pub fn schema(&self) -> Option<schema::Type> {
        let Source::Script { members, .. } = &self.source else { return None };
        let field = |member: &Member| {
            let Place { ty, offset, bits } = &member.place;
            let ty = match (bits, ty.schema()?) {
                (Some((first, width)), schema::Type::Int { bytes, .. }) => {
                    schema::Type::Bits { bytes, signed: false, first: *first, width: *width }
                }
                (_, ty) => ty,
            };
            Some((member.name.clone(), schema::Field { ty, offset: *offset }))
        };
        Some(schema::Type::Record(members.iter().map(field).collect::<Option<_>>()?))
    }
}

impl StructType {
    /// The boundary a value begins on, in bytes; of the kernel's structs the widest there is.
    pub fn align(&self) -> u32 {
        match &self.source {
            Source::Script { align, .. } => *align,
            Source::Kernel(_) | Source::Named => 8,
        }
    }
}

impl fmt::Display for StructType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Where a member of a struct is, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its type.
    pub ty: Ty,
    /// Bytes from the start of the struct.
    pub offset: u32,
    /// For a bit-field: the first bit from `offset`, and how many.
    pub bits: Option<(u8, u8)>,
}

/// The longest chain of pointers and arrays followed.
const DEPTH: u32 = 8;

/// The type numbered `id`; pointers in it are to `space` unless tagged otherwise.
pub fn of_btf(btf: &Btf, id: TypeId, space: Space) -> Ty {
    convert(btf, id, space, DEPTH)
}

fn convert(btf: &Btf, id: TypeId, space: Space, depth: u32) -> Ty {
    let resolved = btf.resolve(id);
    let Some(depth) = depth.checked_sub(1) else { return Ty::Void };
    match btf.ty(resolved) {
        Some(Type::Int { boolean: true, .. }) => Ty::Bool,
        Some(Type::Int { bytes: bytes @ (1 | 2 | 4 | 8), signed, .. }) => Ty::Int { bytes: bytes as u8, signed },
        Some(Type::Ptr(to)) => {
            let space = if btf.has_tag(to, "user") { Space::User } else { space };
            Ty::Pointer { to: Rc::new(convert(btf, to, space, depth)), space }
        }
        Some(Type::Array { element, len }) if is_char(btf, element) && len > 0 => Ty::Str { size: len },
        Some(Type::Array { element, len }) => Ty::Array { element: Rc::new(convert(btf, element, space, depth)), len },
        Some(Type::Struct { bytes, .. }) => structure(btf, resolved, "struct", bytes),
        Some(Type::Union { bytes, .. }) => structure(btf, resolved, "union", bytes),
        Some(Type::Fwd { name, union }) => forward(btf, name, union),
        Some(Type::Enum { name, bytes, signed }) => Ty::Enum(Rc::new(EnumType {
            name: name.to_owned(),
            bytes: bytes.min(8) as u8,
            signed,
            variants: btf.enum_constants(resolved).map(|c| (c.value, c.name.to_owned())).collect(),
            text: false,
        })),
        _ => Ty::Void,
    }
}

fn structure(btf: &Btf, id: TypeId, keyword: &str, size: u32) -> Ty {
    Ty::Struct(StructType { name: format!("{keyword} {}", btf.name(id)).into(), size, source: Source::Kernel(id) })
}

/// A struct of which only the name is known here may be described elsewhere in the same blob.
fn forward(btf: &Btf, name: &str, union: bool) -> Ty {
    let found = if union { btf.find_union(name) } else { btf.find_struct(name) };
    match found.and_then(|id| Some((id, btf.ty(id)?))) {
        Some((id, Type::Struct { bytes, .. })) => structure(btf, id, "struct", bytes),
        Some((id, Type::Union { bytes, .. })) => structure(btf, id, "union", bytes),
        _ => Ty::Void,
    }
}

fn is_char(btf: &Btf, id: TypeId) -> bool {
    matches!(btf.ty(btf.resolve(id)), Some(Type::Int { name: "char", bytes: 1, .. }))
}

/// The member `name` of a struct, anonymous structs and unions inside it included.
pub fn member(btf: Option<&Btf>, of: &StructType, name: &str, space: Space) -> Option<Place> {
    let id = match &of.source {
        Source::Script { members, .. } => return Some(members.iter().find(|m| m.name == name)?.place.clone()),
        Source::Kernel(id) => *id,
        Source::Named => return None,
    };
    let btf = btf?;
    let member = btf.member(id, name)?;
    let ty = of_btf(btf, member.ty, space);
    let Some(width) = member.bit_width else {
        return Some(Place { ty, offset: member.offset(), bits: None });
    };
    let bytes = ty.layout().size.max(1);
    let offset = member.offset() / bytes * bytes;
    let first = member.bit_offset.checked_sub(offset * 8)?;
    Some(Place { ty, offset, bits: Some((u8::try_from(first).ok()?, width)) })
}

/// The names of the members of a struct, for did-you-mean.
pub fn member_names(btf: Option<&Btf>, of: &StructType) -> Vec<String> {
    match (&of.source, btf) {
        (Source::Script { members, .. }, _) => members.iter().map(|m| m.name.clone()).collect(),
        (Source::Kernel(id), Some(btf)) => btf.named_members(*id).into_iter().map(|m| m.name.to_owned()).collect(),
        (Source::Kernel(_), None) | (Source::Named, _) => vec![],
    }
}

/// A type of the kernel by its name and kind of name.
pub fn find(btf: &Btf, kind: Kind, name: &str) -> Option<Ty> {
    let id = match kind {
        Kind::Enum => btf.find_enum(name),
        kind => btf.find(kind, name),
    }?;
    Some(of_btf(btf, id, Space::Kernel))
}

/// An integer type as C or the language calls it.
pub fn integer(name: &str) -> Option<Ty> {
    let int = |bytes, signed| Some(Ty::Int { bytes, signed });
    match name {
        "uint8" | "uint8_t" | "u8" | "__u8" | "unsigned char" => int(1, false),
        "uint16" | "uint16_t" | "u16" | "__u16" | "unsigned short" | "short unsigned int" | "unsigned short int" => {
            int(2, false)
        }
        "uint32" | "uint32_t" | "u32" | "__u32" | "unsigned" | "unsigned int" => int(4, false),
        "uint64"
        | "uint64_t"
        | "u64"
        | "__u64"
        | "unsigned long"
        | "unsigned long int"
        | "long unsigned int"
        | "unsigned long long"
        | "long long unsigned int"
        | "unsigned long long int"
        | "size_t"
        | "uintptr_t" => int(8, false),
        "int8" | "int8_t" | "s8" | "__s8" | "char" | "signed char" => int(1, true),
        "int16" | "int16_t" | "s16" | "__s16" | "short" | "short int" => int(2, true),
        "int32" | "int32_t" | "s32" | "__s32" | "int" | "signed int" | "signed" => int(4, true),
        "int64" | "int64_t" | "s64" | "__s64" | "long" | "long int" | "long long" | "long long int" | "ssize_t"
        | "signed long" | "intptr_t" => int(8, true),
        _ => None,
    }
}

/// Bytes and alignment of a value as `sizeof` tells them: as a C compiler lays it out, strings as arrays of characters.
pub fn layout_in_c(ty: &Ty) -> Layout {
    let (size, align) = match ty {
        Ty::Str { size } => (*size, 1),
        Ty::Struct(s) => (s.size, s.align()),
        Ty::Array { element, len } => {
            let element = layout_in_c(element);
            (element.size.saturating_mul(*len), element.align)
        }
        Ty::Tuple(items) => in_a_row(items.iter()),
        Ty::Record(items) => in_a_row(items.iter().map(|(_, ty)| ty)),
        ty => (ty.layout().size, ty.layout().align),
    };
    Layout { size, align: align.max(1) }
}

fn in_a_row<'a>(items: impl Iterator<Item = &'a Ty>) -> (u32, u32) {
    let (end, align) = items.map(layout_in_c).fold((0u32, 1), |(end, align), item| {
        (end.next_multiple_of(item.align).saturating_add(item.size), item.align.max(align))
    });
    (end.next_multiple_of(align), align)
}
