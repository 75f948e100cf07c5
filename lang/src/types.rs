//! The types of the language, and how values of them lie in memory.
//!
//! A type is either a *scalar*, held in one register, or *memory*, held in bytes laid out exactly as
//! [`report::schema::Type`] says. Leaves C types of the kernel to [`crate::ctype`].

mod display;

pub use display::told_apart;

use std::rc::Rc;

use report::schema::{Field, StackType, Type, ValueKind};

use crate::ctype::StructType;

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
    /// Not known: an error was reported, a map's type is still being inferred, or the target does not say.
    Unknown,
    /// No value.
    Void,
    /// True or false.
    Bool,
    /// An integer of 1, 2, 4 or 8 bytes.
    Int { bytes: u8, signed: bool },
    /// A C string of at most `size` bytes.
    Str { size: u32 },
    /// An address of something.
    Pointer { to: Rc<Ty>, space: Space },
    /// A C struct or union.
    Struct(StructType),
    /// `len` elements back to back.
    Array { element: Rc<Ty>, len: u32 },
    /// `(a, b)`
    Tuple(Rc<[Ty]>),
    /// `(a = 1, b = 2)`
    Record(Rc<[(String, Ty)]>),
    /// Bytes with their length.
    Buf { capacity: u32 },
    /// An IP address.
    Inet,
    /// A link-layer address.
    Mac,
    /// A kernel address that prints as a symbol.
    Ksym,
    /// A user address that prints as a symbol.
    Usym,
    /// A kernel stack.
    Kstack(StackType),
    /// A user stack.
    Ustack(StackType),
    /// A C enum.
    Enum(Rc<EnumType>),
    /// Nanoseconds that print in this format.
    Timestamp { format: Rc<str> },
    /// A uid that prints as a name.
    Username,
    /// A cgroup id that prints as a path.
    CgroupPath,
    /// What `count()` and its kin give; only a map holds it.
    Aggregate(ValueKind),
}

/// A C enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumType {
    /// Its tag.
    pub name: String,
    /// Bytes of a value.
    pub bytes: u8,
    /// Whether a value may be negative.
    pub signed: bool,
    /// What its values are called.
    pub variants: Vec<(i64, String)>,
    /// Whether its values are text wherever they go, and only kept as numbers.
    pub text: bool,
}

/// Whose memory an address is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Space {
    /// Decided by the address itself, when it is read.
    #[default]
    Any,
    /// The kernel's.
    Kernel,
    /// The current process's.
    User,
}

/// An integer as wide and signed as `uint64`.
pub const U64: Ty = Ty::Int { bytes: 8, signed: false };
/// An integer as wide and signed as `int64`.
pub const I64: Ty = Ty::Int { bytes: 8, signed: true };
/// An integer as wide and signed as `uint32`.
pub const U32: Ty = Ty::Int { bytes: 4, signed: false };

/// Bytes and alignment of a value in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// In bytes, a multiple of the alignment.
    pub size: u32,
    /// 1, 2, 4 or 8.
    pub align: u32,
}

impl Ty {
    /// A C string of at most `size` bytes.
    pub fn str(size: u32) -> Self {
        Self::Str { size }
    }

    /// The smallest signed type that holds `value`, as literals have.
    pub fn of_literal(value: i64) -> Self {
        let bytes = match value {
            -0x80..=0x7f => 1,
            -0x8000..=0x7fff => 2,
            -0x8000_0000..=0x7fff_ffff => 4,
            _ => 8,
        };
        Self::Int { bytes, signed: true }
    }

    /// Whether a register holds it.
    pub fn is_scalar(&self) -> bool {
        matches!(
            self,
            Self::Bool
                | Self::Int { .. }
                | Self::Pointer { .. }
                | Self::Ksym
                | Self::Kstack(_)
                | Self::Enum(_)
                | Self::Timestamp { .. }
                | Self::Username
                | Self::CgroupPath
        )
    }

    /// Whether only a map holds it.
    pub fn is_aggregate(&self) -> bool {
        matches!(self, Self::Aggregate(_))
    }

    /// Whether arithmetic takes it as it is.
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Int { .. } | Self::Bool | Self::Enum(_))
    }

    /// Whether `++` and `--` take it.
    pub fn is_countable(&self) -> bool {
        self.is_integer() || matches!(self, Self::Pointer { .. } | Self::Unknown)
    }

    /// Whether an `if` takes it.
    pub fn is_condition(&self) -> bool {
        self.is_integer() || matches!(self, Self::Pointer { .. } | Self::Ksym | Self::Username | Self::Unknown)
    }

    /// Whether nothing is known of it, so that complaining about it would only follow from another complaint.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Tuple(items) => items.iter().any(Self::is_unknown),
            Self::Record(items) => items.iter().any(|(_, ty)| ty.is_unknown()),
            _ => false,
        }
    }

    /// Whether integers of it are signed.
    pub fn is_signed(&self) -> bool {
        match self {
            Self::Int { signed, .. } => *signed,
            Self::Enum(e) => e.signed,
            _ => false,
        }
    }

    /// Bytes and alignment of a value in memory. Strings take whole words, so that they are moved by words.
    pub fn layout(&self) -> Layout {
        let (size, align) = match self {
            Self::Unknown | Self::Void | Self::Aggregate(_) => (8, 8),
            Self::Bool => (1, 1),
            Self::Int { bytes, .. } => (u32::from(*bytes), u32::from(*bytes)),
            Self::Enum(e) => (u32::from(e.bytes), u32::from(e.bytes)),
            Self::Str { size } => (size.next_multiple_of(8), 8),
            Self::Struct(s) => (s.size.next_multiple_of(8), 8),
            Self::Array { len, .. } => (self.element_size().saturating_mul(*len).next_multiple_of(8), 8),
            Self::Tuple(items) => return extent(&offsets(items.iter())),
            Self::Record(items) => return extent(&offsets(items.iter().map(|(_, ty)| ty))),
            Self::Buf { capacity } => (4 + capacity.next_multiple_of(4), 4),
            Self::Inet => (20, 4),
            Self::Mac => (6, 1),
            Self::Usym | Self::Ustack(_) => (16, 8),
            Self::Pointer { .. }
            | Self::Ksym
            | Self::Kstack(_)
            | Self::Timestamp { .. }
            | Self::Username
            | Self::CgroupPath => (8, 8),
        };
        Layout { size, align }
    }

    /// Bytes from one element of an array to the next, as in C: strings and structs are not padded to words.
    pub fn element_size(&self) -> u32 {
        match self {
            Self::Array { element, .. } => element.size_in_c(),
            _ => 1,
        }
    }

    /// Bytes of a value in C.
    pub fn size_in_c(&self) -> u32 {
        match self {
            Self::Str { size } => *size,
            Self::Struct(s) => s.size,
            Self::Array { element, len } => element.size_in_c().saturating_mul(*len),
            Self::Void | Self::Unknown => 1,
            ty => ty.layout().size,
        }
    }

    /// As the reader of maps and events knows it; `None` for what cannot leave the kernel.
    pub fn schema(&self) -> Option<Type> {
        Some(match self {
            Self::Unknown | Self::Void | Self::Aggregate(_) => return None,
            Self::Struct(s) => s.schema()?,
            Self::Bool => Type::Bool,
            Self::Int { bytes, signed } => Type::Int { bytes: *bytes, signed: *signed },
            Self::Str { size } => Type::Str { size: *size },
            Self::Pointer { .. } => Type::Pointer,
            Self::Array { element, len } => Type::Array { element: Box::new(element.schema()?), len: *len },
            Self::Tuple(items) => Type::Tuple(fields(items)?),
            Self::Record(items) => {
                let types: Vec<Ty> = items.iter().map(|(_, ty)| ty.clone()).collect();
                Type::Record(items.iter().map(|(name, _)| name.clone()).zip(fields(&types)?).collect())
            }
            Self::Buf { capacity } => Type::Buf { capacity: *capacity },
            Self::Inet => Type::Inet,
            Self::Mac => Type::Mac,
            Self::Ksym => Type::Ksym,
            Self::Usym => Type::Usym,
            Self::Kstack(stack) => Type::Kstack(stack.clone()),
            Self::Ustack(stack) => Type::Ustack(stack.clone()),
            Self::Enum(e) if e.text => Type::Name { bytes: e.bytes, signed: e.signed, names: e.variants.clone() },
            Self::Enum(e) => Type::Enum { bytes: e.bytes, signed: e.signed, variants: e.variants.clone() },
            Self::Timestamp { format } => Type::Timestamp { format: format.to_string() },
            Self::Username => Type::Username,
            Self::CgroupPath => Type::CgroupPath,
        })
    }
}

/// The components with their offsets, as the schema lists them; `None` if one of them cannot leave the kernel.
pub fn fields(items: &[Ty]) -> Option<Vec<Field>> {
    let places = offsets(items.iter());
    items.iter().zip(places).map(|(ty, (offset, _))| Some(Field { ty: ty.schema()?, offset })).collect()
}

/// Where each of several values laid out in a row starts, with its layout.
pub fn offsets<'a>(items: impl Iterator<Item = &'a Ty>) -> Vec<(u32, Layout)> {
    let mut end = 0u32;
    items
        .map(|ty| {
            let layout = ty.layout();
            let offset = end.next_multiple_of(layout.align.max(1));
            end = offset.saturating_add(layout.size);
            (offset, layout)
        })
        .collect()
}

fn extent(places: &[(u32, Layout)]) -> Layout {
    let align = places.iter().map(|(_, layout)| layout.align).max().unwrap_or(1).max(1);
    let end = places.last().map_or(0, |(offset, layout)| offset.saturating_add(layout.size));
    Layout { size: end.next_multiple_of(align).max(align), align }
}

/// The type that holds values of both, if there is one: integers widen, strings lengthen, tuples go by component.
pub fn unify(a: &Ty, b: &Ty) -> Option<Ty> {
    Some(match (a, b) {
        (Ty::Unknown, other) | (other, Ty::Unknown) => other.clone(),
        (a, b) if a == b => a.clone(),
        (Ty::Int { bytes: x, signed: s }, Ty::Int { bytes: y, signed: t }) => unify_integers((*x, *s), (*y, *t)),
        (Ty::Int { bytes, signed }, Ty::Bool) | (Ty::Bool, Ty::Int { bytes, signed }) => {
            Ty::Int { bytes: *bytes, signed: *signed }
        }
        (Ty::Enum(e), Ty::Int { bytes, signed }) | (Ty::Int { bytes, signed }, Ty::Enum(e)) => {
            unify_integers((e.bytes, e.signed), (*bytes, *signed))
        }
        (Ty::Pointer { to, .. }, Ty::Pointer { to: other, .. }) if to == other => {
            Ty::Pointer { to: to.clone(), space: Space::Any }
        }
        (Ty::Pointer { .. }, Ty::Pointer { .. }) => Ty::Pointer { to: Rc::new(Ty::Void), space: Space::Any },
        (Ty::Str { size: x }, Ty::Str { size: y }) => Ty::Str { size: *x.max(y) },
        (Ty::Buf { capacity: x }, Ty::Buf { capacity: y }) => Ty::Buf { capacity: *x.max(y) },
        (Ty::Tuple(x), Ty::Tuple(y)) if x.len() == y.len() => {
            Ty::Tuple(x.iter().zip(y.iter()).map(|(a, b)| unify(a, b)).collect::<Option<_>>()?)
        }
        // In the order of the first.
        (Ty::Record(x), Ty::Record(y)) if x.len() == y.len() => Ty::Record(
            x.iter()
                .map(|(name, a)| {
                    let (_, b) = y.iter().find(|(other, _)| other == name)?;
                    Some((name.clone(), unify(a, b)?))
                })
                .collect::<Option<_>>()?,
        ),
        (Ty::Aggregate(x), Ty::Aggregate(y)) => Ty::Aggregate(unify_aggregates(x, y)?),
        _ => return None,
    })
}

fn unify_integers((x, s): (u8, bool), (y, t): (u8, bool)) -> Ty {
    if s == t {
        return Ty::Int { bytes: x.max(y), signed: s };
    }
    let (unsigned, signed) = if s { (y, x) } else { (x, y) };
    let bytes = if unsigned < signed { signed } else { (unsigned * 2).min(8) };
    Ty::Int { bytes, signed: true }
}

fn unify_aggregates(a: &ValueKind, b: &ValueKind) -> Option<ValueKind> {
    use ValueKind::*;
    Some(match (a, b) {
        (Count, Count) => Count,
        (Sum { signed: s }, Sum { signed: t }) => Sum { signed: *s || *t },
        (Min { signed: s }, Min { signed: t }) => Min { signed: *s || *t },
        (Max { signed: s }, Max { signed: t }) => Max { signed: *s || *t },
        (Avg { signed: s }, Avg { signed: t }) => Avg { signed: *s || *t },
        (Stats { signed: s }, Stats { signed: t }) => Stats { signed: *s || *t },
        (Hist { bits, signed: s }, Hist { bits: other, signed: t }) if bits == other => {
            Hist { bits: *bits, signed: *s || *t }
        }
        (Lhist { min, max, step, signed: s }, Lhist { min: m, max: n, step: o, signed: t })
            if (min, max, step) == (m, n, o) =>
        {
            Lhist { min: *min, max: *max, step: *step, signed: *s || *t }
        }
        (
            Tseries { interval_ns, intervals, fold, signed: s },
            Tseries { interval_ns: other_ns, intervals: others, fold: other, signed: t },
        ) if (interval_ns, intervals, fold) == (other_ns, others, other) => {
            Tseries { interval_ns: *interval_ns, intervals: *intervals, fold: *fold, signed: *s || *t }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(bytes: u8, signed: bool) -> Ty {
        Ty::Int { bytes, signed }
    }

    #[test]
    fn integers_of_different_sign_widen_until_both_fit() {
        assert_eq!(unify(&int(4, false), &int(1, true)), Some(int(8, true)));
        assert_eq!(unify(&int(1, false), &int(4, true)), Some(int(4, true)));
        assert_eq!(unify(&int(8, false), &int(8, true)), Some(int(8, true)));
    }

    #[test]
    fn pointers_to_the_same_stay_so_wherever_they_point() {
        let pointer = |to: Ty, space| Ty::Pointer { to: Rc::new(to), space };
        let (kernel, user) = (pointer(int(4, true), Space::Kernel), pointer(int(4, true), Space::User));
        assert_eq!(unify(&kernel, &user), Some(pointer(int(4, true), Space::Any)));
        assert_eq!(unify(&kernel, &pointer(int(1, true), Space::Kernel)), Some(pointer(Ty::Void, Space::Any)));
    }

    #[test]
    fn a_count_and_a_sum_have_nothing_in_common() {
        let sum = Ty::Aggregate(ValueKind::Sum { signed: false });
        assert_eq!(unify(&Ty::Aggregate(ValueKind::Count), &sum), None);
    }

    #[test]
    fn a_tuple_aligns_its_components() {
        let tuple = Ty::Tuple([int(1, true), Ty::str(5), int(4, false)].into());
        assert_eq!(tuple.layout(), Layout { size: 24, align: 8 });
        let Some(Type::Tuple(fields)) = tuple.schema() else { panic!("a tuple has a schema") };
        assert_eq!(fields.iter().map(|f| f.offset).collect::<Vec<_>>(), [0, 8, 16]);
    }
}
