//! Where the members of a struct or union lie.

use crate::ctype::{Member, Place, Source, StructType};
use crate::types::Ty;

/// The largest type a script may define, in bytes.
const MOST_BYTES: u32 = 1 << 24;

/// The members of a struct or union in their order. They are laid out at the end, when it is known whether they are packed.
pub struct Layouter {
    union: bool,
    wanted: Vec<Wanted>,
}

struct Wanted {
    name: String,
    ty: Ty,
    /// Bits of a bit-field.
    width: Option<u8>,
}

/// How far the layout has come.
#[derive(Default)]
struct Cursor {
    /// Bits used so far.
    bits: u32,
    /// The largest end seen, in bytes.
    end: u32,
    align: u32,
}

impl Layouter {
    /// Of a struct, or of a union, whose members all lie at its start.
    pub fn new(union: bool) -> Self {
        Self { union, wanted: vec![] }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.wanted.len()
    }

    /// A member; what is wrong with it otherwise.
    pub fn member(&mut self, name: String, ty: Ty) -> Result<(), String> {
        if name.is_empty() {
            return Err("a member has no name".into());
        }
        self.add(name, ty, None)
    }

    /// A bit-field, which may have no name.
    pub fn bits(&mut self, name: String, ty: Ty, width: u8) -> Result<(), String> {
        if !ty.is_integer() || u32::from(width) > ty.size_in_c() * 8 {
            return Err(format!("a bit-field of {width} bits does not fit in `{ty}`"));
        }
        self.add(name, ty, Some(width))
    }

    /// An anonymous struct or union, whose members become members of this one.
    pub fn anonymous(&mut self, ty: &Ty) -> Result<(), String> {
        match ty {
            Ty::Struct(_) => self.add(String::new(), ty.clone(), None),
            // `enum { .. };` inside a struct defines constants only.
            Ty::Enum(_) => Ok(()),
            ty => Err(format!("a member of type `{ty}` has no name")),
        }
    }

    fn add(&mut self, name: String, ty: Ty, width: Option<u8>) -> Result<(), String> {
        let named = matches!(&ty, Ty::Struct(StructType { source: Source::Named, .. }));
        if ty == Ty::Void || named {
            return Err(format!("the type of `{name}` is not known"));
        }
        let total = self.wanted.iter().fold(ty.size_in_c(), |sum, member| sum.saturating_add(member.ty.size_in_c()));
        if total > MOST_BYTES {
            return Err(format!("it is larger than {MOST_BYTES} bytes"));
        }
        self.wanted.push(Wanted { name, ty, width });
        Ok(())
    }

    /// The members with their places, the size and the alignment, both in bytes.
    pub fn finish(self, packed: bool) -> (Vec<Member>, u32, u32) {
        let mut cursor = Cursor { align: 1, ..Cursor::default() };
        let mut members = vec![];
        for Wanted { name, ty, width } in self.wanted {
            if self.union {
                cursor.bits = 0;
            }
            let align = if packed { 1 } else { align_in_c(&ty) };
            let place = match width {
                Some(width) => cursor.bit_field(ty, width, align),
                None => Some(cursor.whole(ty, align)),
            };
            match place {
                Some(place) if name.is_empty() && width.is_none() => members.extend(inner_members(&place)),
                Some(place) if !name.is_empty() => members.push(Member { name, place }),
                _ => {}
            }
        }
        (members, cursor.end.next_multiple_of(cursor.align), cursor.align)
    }
}

impl Cursor {
    fn whole(&mut self, ty: Ty, align: u32) -> Place {
        let offset = self.bits.div_ceil(8).next_multiple_of(align);
        self.take(offset * 8 + ty.size_in_c() * 8, align);
        Place { ty, offset, bits: None }
    }

    /// A bit-field lies in one unit of its type; one of no bits only ends the unit before it.
    fn bit_field(&mut self, ty: Ty, width: u8, align: u32) -> Option<Place> {
        let unit = ty.size_in_c() * 8;
        if width == 0 {
            self.bits = self.bits.next_multiple_of(unit);
            return None;
        }
        let width_bits = u32::from(width);
        if self.bits / unit != (self.bits + width_bits - 1) / unit {
            self.bits = self.bits.next_multiple_of(unit);
        }
        let offset = self.bits / unit * (unit / 8);
        let first = self.bits - offset * 8;
        self.take(self.bits + width_bits, align);
        Some(Place { ty, offset, bits: Some((u8::try_from(first).ok()?, width)) })
    }

    fn take(&mut self, end_bits: u32, align: u32) {
        self.bits = end_bits;
        self.end = self.end.max(end_bits.div_ceil(8));
        self.align = self.align.max(align);
    }
}

/// The members of an anonymous struct or union, moved to where it lies.
fn inner_members(outer: &Place) -> Vec<Member> {
    let Ty::Struct(of) = &outer.ty else { return vec![] };
    let Source::Script { members, .. } = &of.source else { return vec![] };
    let moved = |member: &Member| Member {
        name: member.name.clone(),
        place: Place { offset: member.place.offset + outer.offset, ..member.place.clone() },
    };
    members.iter().map(moved).collect()
}

/// The boundary a value begins on, in bytes.
fn align_in_c(ty: &Ty) -> u32 {
    match ty {
        Ty::Struct(of) => match &of.source {
            Source::Script { align, .. } => *align,
            Source::Nowhere => of.size,
            // The kernel's types do not tell; a struct of this size has at most this alignment.
            Source::Named | Source::Types(..) => 1 << of.size.trailing_zeros().min(3),
        },
        Ty::Array { element, .. } => align_in_c(element),
        Ty::Str { .. } => 1,
        ty => ty.layout().align,
    }
}
