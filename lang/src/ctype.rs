//! C types, as the language sees them: those of the kernel from its BTF, those of programs from the same form, and where members of any
//! struct are.
//!
//! Arrays of `char` are strings, everything behind a pointer stays a name until a member of it is asked for.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use bpf::btf::{Btf, Kind, Type, TypeId};
use report::schema;

use crate::types::{EnumType, Layout, Space, Ty};

/// The types of the kernel, or of a program or library as its debug information tells them. Equal to itself alone.
#[derive(Clone, Debug)]
pub struct Types(Arc<Btf>);

impl Types {
    /// These types.
    pub fn new(types: impl Into<Arc<Btf>>) -> Self {
        Self(types.into())
    }
}

impl Deref for Types {
    type Target = Btf;

    fn deref(&self) -> &Btf {
        &self.0
    }
}

impl PartialEq for Types {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Types {}

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
    /// Among the types of the kernel or of a program.
    Types(Types, TypeId),
    /// Not yet: only the name is known, as where a struct points to its own kind.
    Named,
    /// Nowhere: it stands for a type that the language has no values of, as a number with a fraction.
    Nowhere,
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
    /// All members; `None` where they are not known or too many.
    pub fn schema(&self) -> Option<schema::Type> {
        let fields: Vec<_> = match &self.source {
            Source::Script { members, .. } => members.iter().map(|m| field(&m.name, &m.place)).collect(),
            Source::Types(types, id) => {
                if !is_bounded(types, *id, DEPTH, &mut { MOST_MEMBERS }) {
                    return None;
                }
                let member = |m: bpf::btf::Member<'_>| Some(field(m.name, &place_of(types, &m, Space::Any)?));
                types.named_members(*id).into_iter().map(member).collect::<Option<_>>()?
            }
            Source::Named | Source::Nowhere => return None,
        };
        Some(schema::Type::Record(fields))
    }
}

/// Members of a struct that leaves the kernel whole, those of its parts included.
const MOST_MEMBERS: usize = 1024;

/// Whether a struct is no larger than that, and holds no struct of its own kind, as only corrupt debug information says.
fn is_bounded(types: &Types, id: TypeId, depth: u32, budget: &mut usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    types.named_members(id).into_iter().all(|member| {
        let mut ty = types.resolve(member.ty);
        for _ in 0..DEPTH {
            match types.ty(ty) {
                Some(Type::Array { element, .. }) => ty = types.resolve(element),
                _ => break,
            }
        }
        let inside = matches!(types.ty(ty), Some(Type::Struct { .. } | Type::Union { .. }));
        let within = budget.checked_sub(1);
        *budget = within.unwrap_or(0);
        within.is_some() && (!inside || is_bounded(types, ty, depth, budget))
    })
}

fn field(name: &str, place: &Place) -> (String, schema::Field) {
    let ty = match (place.bits, place.ty.schema().unwrap_or(schema::Type::Nothing)) {
        (Some((first, width)), schema::Type::Int { bytes, .. } | schema::Type::Enum { bytes, .. }) => {
            schema::Type::Bits { bytes, signed: false, first, width }
        }
        (Some((first, width)), schema::Type::Bool) => schema::Type::Bits { bytes: 1, signed: false, first, width },
        (_, ty) => ty,
    };
    (name.to_owned(), schema::Field { ty, offset: place.offset })
}

impl StructType {
    /// The boundary a value begins on, in bytes; of the kernel's and of programs' structs the widest there is.
    pub fn align(&self) -> u32 {
        match &self.source {
            Source::Script { align, .. } => *align,
            Source::Types(..) | Source::Named | Source::Nowhere => 8,
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
pub fn of_btf(types: &Types, id: TypeId, space: Space) -> Ty {
    convert(types, id, space, DEPTH)
}

fn convert(types: &Types, id: TypeId, space: Space, depth: u32) -> Ty {
    let resolved = types.resolve(id);
    let Some(depth) = depth.checked_sub(1) else { return Ty::Void };
    match types.ty(resolved) {
        Some(Type::Int { boolean: true, .. }) => Ty::Bool,
        Some(Type::Int { bytes: bytes @ (1 | 2 | 4 | 8), signed, .. }) => Ty::Int { bytes: bytes as u8, signed },
        Some(Type::Ptr(to)) => {
            let space = if types.has_tag(to, "user") { Space::User } else { space };
            Ty::Pointer { to: Rc::new(convert(types, to, space, depth)), space }
        }
        Some(Type::Array { element, len }) if is_char(types, element) && len > 0 => Ty::Str { size: len },
        Some(Type::Array { element, len }) => {
            Ty::Array { element: Rc::new(convert(types, element, space, depth)), len }
        }
        Some(Type::Struct { bytes, .. }) => structure(types, resolved, "struct", bytes),
        Some(Type::Union { bytes, .. }) => structure(types, resolved, "union", bytes),
        Some(Type::Fwd { name, union }) => forward(types, name, union),
        Some(Type::Enum { name, bytes, signed }) => Ty::Enum(Rc::new(EnumType {
            name: name.to_owned(),
            bytes: bytes.min(8) as u8,
            signed,
            variants: types.enum_constants(resolved).map(|c| (c.value, c.name.to_owned())).collect(),
            text: false,
        })),
        _ => Ty::Void,
    }
}

fn structure(types: &Types, id: TypeId, keyword: &str, size: u32) -> Ty {
    let name = format!("{keyword} {}", types.name(id)).into();
    Ty::Struct(StructType { name, size, source: Source::Types(types.clone(), id) })
}

/// A struct of which only the name is known here may be described elsewhere in the same blob.
fn forward(types: &Types, name: &str, union: bool) -> Ty {
    let found = if union { types.find_union(name) } else { types.find_struct(name) };
    match found.and_then(|id| Some((id, types.ty(id)?))) {
        Some((id, Type::Struct { bytes, .. })) => structure(types, id, "struct", bytes),
        Some((id, Type::Union { bytes, .. })) => structure(types, id, "union", bytes),
        _ => Ty::Void,
    }
}

fn is_char(btf: &Btf, id: TypeId) -> bool {
    matches!(btf.ty(btf.resolve(id)), Some(Type::Int { name: "char", bytes: 1, .. }))
}

/// The member `name` of a struct, anonymous structs and unions inside it included.
pub fn member(of: &StructType, name: &str, space: Space) -> Option<Place> {
    match &of.source {
        Source::Script { members, .. } => Some(members.iter().find(|m| m.name == name)?.place.clone()),
        Source::Types(types, id) => place_of(types, &types.member(*id, name)?, space),
        Source::Named | Source::Nowhere => None,
    }
}

fn place_of(types: &Types, member: &bpf::btf::Member<'_>, space: Space) -> Option<Place> {
    let ty = convert(types, member.ty, space, DEPTH);
    let Some(width) = member.bit_width else {
        return Some(Place { ty, offset: member.offset(), bits: None });
    };
    let bytes = ty.layout().size.max(1);
    let offset = member.offset() / bytes * bytes;
    let first = member.bit_offset.checked_sub(offset * 8)?;
    Some(Place { ty, offset, bits: Some((u8::try_from(first).ok()?, width)) })
}

/// The names of the members of a struct, for did-you-mean.
pub fn member_names(of: &StructType) -> Vec<String> {
    match &of.source {
        Source::Script { members, .. } => members.iter().map(|m| m.name.clone()).collect(),
        Source::Types(types, id) => types.named_members(*id).into_iter().map(|m| m.name.to_owned()).collect(),
        Source::Named | Source::Nowhere => vec![],
    }
}

/// A type by its name and kind of name; pointers in it are to `space`.
pub fn find(types: &Types, kind: Kind, name: &str, space: Space) -> Option<Ty> {
    Some(of_btf(types, named(types, kind, name)?, space))
}

fn named(btf: &Btf, kind: Kind, name: &str) -> Option<TypeId> {
    match kind {
        Kind::Enum => btf.find_enum(name),
        kind => btf.find(kind, name),
    }
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
