//! How large the schema's types are in memory, and on which boundary they begin.

use crate::schema::{Field, Type};

impl Type {
    /// Bytes a value takes; of composites including the padding at their end.
    pub fn size(&self) -> u32 {
        match self {
            Type::Int { bytes, .. }
            | Type::Bits { bytes, .. }
            | Type::Enum { bytes, .. }
            | Type::Name { bytes, .. } => u32::from(*bytes),
            Type::Bool => 1,
            Type::Str { size } => *size,
            Type::Buf { capacity } => capacity.saturating_add(4),
            Type::Inet => 20,
            Type::Mac => 6,
            Type::Nothing => 0,
            Type::Usym | Type::Ustack(_) => 16,
            Type::Array { element, len } => element.size().saturating_mul(*len),
            Type::Tuple(fields) => self.end(fields.iter()),
            Type::Record(fields) => self.end(fields.iter().map(|(_, field)| field)),
            _ => 8,
        }
    }

    /// The boundary a value begins on; of composites the widest of their components'.
    pub fn align(&self) -> u32 {
        match self {
            Type::Int { bytes, .. }
            | Type::Bits { bytes, .. }
            | Type::Enum { bytes, .. }
            | Type::Name { bytes, .. } => u32::from(*bytes).max(1),
            Type::Bool | Type::Str { .. } | Type::Mac | Type::Nothing => 1,
            Type::Buf { .. } | Type::Inet => 4,
            Type::Array { element, .. } => element.align(),
            Type::Tuple(fields) => fields.iter().map(|field| field.ty.align()).max().unwrap_or(1),
            Type::Record(fields) => fields.iter().map(|(_, field)| field.ty.align()).max().unwrap_or(1),
            _ => 8,
        }
    }

    fn end<'a>(&self, fields: impl Iterator<Item = &'a Field>) -> u32 {
        let end = fields.map(|field| field.offset.saturating_add(field.ty.size())).max().unwrap_or(0);
        end.checked_next_multiple_of(self.align()).unwrap_or(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuple_is_padded_to_its_widest_component() {
        let field = |ty, offset| Field { ty, offset };
        let word = Type::Int { bytes: 8, signed: false };
        let tuple = Type::Tuple(vec![field(word, 0), field(Type::Str { size: 3 }, 8)]);
        assert_eq!((tuple.size(), tuple.align()), (16, 8));
        assert_eq!(Type::Array { element: Box::new(tuple), len: 3 }.size(), 48);
    }
}
