//! How types lie in memory: sizes, members through anonymous structs and unions, types behind typedefs.

use super::types::{Kind, Type};
use super::{Btf, TypeId};

/// The longest chain of typedefs, qualifiers or array dimensions followed; a longer one is a loop.
const CHAIN: usize = 64;
/// The most members looked at for one name, so that a corrupt blob cannot keep the search going.
const MEMBERS: usize = 100_000;

/// A member of a struct or union.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its name; empty for an anonymous struct or union.
    pub name: &'a str,
    /// Its type.
    pub ty: TypeId,
    /// Bits from the start of the struct the search began in.
    pub bit_offset: u32,
    /// Bits it takes, where it is a bit-field.
    pub bit_width: Option<u8>,
}

impl Member<'_> {
    /// Bytes from the start of the struct; for a bit-field those of the byte it starts in.
    pub fn offset(&self) -> u32 {
        self.bit_offset / 8
    }
}

impl Btf {
    /// The type behind typedefs, qualifiers and tags.
    pub fn resolve(&self, id: TypeId) -> TypeId {
        let mut at = id;
        for _ in 0..CHAIN {
            match self.ty(at) {
                Some(Type::Typedef { of, .. } | Type::Qualified { of, .. }) => at = of,
                _ => break,
            }
        }
        at
    }

    /// What a pointer (behind typedefs and qualifiers) points to, itself not resolved.
    pub fn pointee(&self, id: TypeId) -> Option<TypeId> {
        match self.ty(self.resolve(id))? {
            Type::Ptr(to) => Some(to),
            _ => None,
        }
    }

    /// Whether a qualifier or tag of this name (`user`, `rcu`, `percpu`) stands on the way to the resolved type.
    pub fn has_tag(&self, id: TypeId, wanted: &str) -> bool {
        let mut at = id;
        for _ in 0..CHAIN {
            match self.ty(at) {
                Some(Type::Qualified { tag, .. }) if tag == wanted => return true,
                Some(Type::Typedef { of, .. } | Type::Qualified { of, .. }) => at = of,
                _ => break,
            }
        }
        false
    }

    /// Bytes a value of the type takes; `None` for functions, `void` and what is only declared.
    pub fn size_of(&self, id: TypeId) -> Option<u64> {
        let mut elements = 1u64;
        let mut at = id;
        for _ in 0..CHAIN {
            let bytes = match self.ty(self.resolve(at))? {
                Type::Array { element, len } => {
                    elements = elements.checked_mul(u64::from(len))?;
                    at = element;
                    continue;
                }
                Type::Ptr(_) => 8,
                Type::Int { bytes, .. }
                | Type::Struct { bytes, .. }
                | Type::Union { bytes, .. }
                | Type::Enum { bytes, .. }
                | Type::Float { bytes, .. } => bytes,
                _ => return None,
            };
            return elements.checked_mul(u64::from(bytes));
        }
        None
    }

    /// The direct members of a struct or union (behind typedefs and qualifiers), anonymous ones included; none for other types.
    pub fn members(&self, id: TypeId) -> impl Iterator<Item = Member<'_>> {
        let id = self.resolve(id);
        let count = if matches!(self.kind(id), Some(Kind::Struct | Kind::Union)) { self.count(id) } else { 0 };
        let with_widths = self.word(id, 1).is_some_and(|info| info >> 31 == 1);
        (0..count).filter_map(move |index| {
            let at = 3 + index * 3;
            let place = self.word(id, at + 2)?;
            let (bit_offset, width) = if with_widths { (place & 0x00ff_ffff, (place >> 24) as u8) } else { (place, 0) };
            Some(Member {
                name: self.string(self.word(id, at)?),
                ty: TypeId(self.word(id, at + 1)?),
                bit_offset,
                bit_width: (width != 0).then_some(width),
            })
        })
    }

    /// The member of this name, also inside anonymous structs and unions, with its offset from the start of `id`.
    pub fn member(&self, id: TypeId, name: &str) -> Option<Member<'_>> {
        if name.is_empty() {
            return None;
        }
        let mut budget = MEMBERS;
        self.search(id, name, 0, 0, &mut budget)
    }

    /// Every named member with its offset from the start of `id`, those of anonymous structs and unions in their place: what one
    /// may write after a dot.
    pub fn named_members(&self, id: TypeId) -> Vec<Member<'_>> {
        let mut found = Vec::new();
        let mut open: Vec<(TypeId, u32)> = vec![(id, 0)];
        let mut budget = MEMBERS;
        while let Some((ty, base)) = open.pop() {
            let mut inner = Vec::new();
            for member in self.members(ty) {
                if budget == 0 {
                    return found;
                }
                budget -= 1;
                let bit_offset = base.saturating_add(member.bit_offset);
                if member.name.is_empty() {
                    inner.push((member.ty, bit_offset));
                } else {
                    found.push(Member { bit_offset, ..member });
                }
            }
            open.extend(inner);
        }
        found.sort_by_key(|member| member.bit_offset);
        found
    }

    fn search(&self, id: TypeId, name: &str, base: u32, depth: usize, budget: &mut usize) -> Option<Member<'_>> {
        for member in self.members(id) {
            *budget = budget.checked_sub(1)?;
            let bit_offset = base.checked_add(member.bit_offset)?;
            if member.name == name {
                return Some(Member { bit_offset, ..member });
            }
            if member.name.is_empty() && depth < CHAIN {
                let found = self.search(member.ty, name, bit_offset, depth + 1, budget);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
}
