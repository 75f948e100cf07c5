//! Types of debug information, in the form that the kernel's types have: what scripts are compiled with is one form for both.
//!
//! From a function's parameters, or from a type that a script names, on to what these consist of. What a member points to is followed
//! where the script mentions a member of that name, since the types that can be reached in a program are nearly all of them.

use std::collections::{BTreeSet, HashMap};

use bpf::btf::TypeId;
use bpf::btf::build::{Builder, NewMember, NewType};
use gimli::{AttributeValue, DwTag, constants as dw};

use super::units::{At, Entry, Units};

/// The most types that are taken over: more are not reached by what a person writes.
const MOST_TYPES: usize = 100_000;
/// The most dimensions of an array.
const MOST_DIMENSIONS: usize = 8;

/// How much of a type is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Depth {
    /// Its members, if it has any.
    whole: bool,
    /// What it points to.
    behind: bool,
}

const WHOLE: Depth = Depth { whole: true, behind: true };

/// A parameter of a function.
struct Parameter {
    name: String,
    ty: Option<At>,
    /// Whether the address of the value is handed over instead of the value.
    by_address: bool,
}

/// Types on their way from one form to the other.
pub struct Types<'u, 'a> {
    units: &'u Units<'a>,
    /// Names of members that the script mentions.
    mentioned: &'u BTreeSet<String>,
    builder: Builder,
    known: HashMap<At, (TypeId, Depth)>,
    open: Vec<(At, TypeId, Depth)>,
    /// Structs of which a member may be wanted and that are only declared where they were met.
    declared: BTreeSet<String>,
}

impl<'u, 'a> Types<'u, 'a> {
    /// No types yet.
    pub fn new(units: &'u Units<'a>, mentioned: &'u BTreeSet<String>) -> Self {
        let (known, open, declared) = (HashMap::new(), Vec::new(), BTreeSet::new());
        Self { units, mentioned, builder: Builder::new(), known, open, declared }
    }

    /// Takes over a function with all its parameters.
    pub fn function(&mut self, at: At, name: &str) -> TypeId {
        let result =
            self.units.type_of(at).map_or(TypeId::VOID, |ty| self.wanted(ty, Depth { whole: true, behind: false }));
        let params = self.parameters(at);
        let params = params.into_iter().map(|param| (param.name.clone(), self.parameter(&param))).collect();
        let proto = self.builder.add(&NewType::FuncProto { result, params });
        self.builder.add(&NewType::Func { name: name.to_owned(), proto })
    }

    /// The parameters of a function.
    fn parameters(&self, at: At) -> Vec<Parameter> {
        let of = |at| {
            let children = self.units.children(at).into_iter();
            let parameters = children.filter(|(_, entry)| entry.tag() == dw::DW_TAG_formal_parameter);
            parameters.map(|(at, entry)| self.parameter_of(at, &entry)).collect::<Vec<_>>()
        };
        let mut found = of(at);
        // Copies of a function may leave out what its pattern has.
        let pattern = self
            .units
            .entry(at)
            .and_then(|entry| entry.attr_value(dw::DW_AT_abstract_origin))
            .and_then(|origin| self.units.referred(at.unit, origin));
        if let Some(pattern) = pattern.map(of).filter(|pattern| pattern.len() > found.len()) {
            found = pattern;
        }
        found
    }

    fn parameter_of(&self, at: At, entry: &Entry<'a>) -> Parameter {
        let ty = self.units.type_of(at);
        // Where it is says so as well: at an address that is kept somewhere.
        let is_behind = match entry.attr_value(dw::DW_AT_location) {
            Some(AttributeValue::Exprloc(place)) => place.0.slice().last() == Some(&dw::DW_OP_deref.0),
            _ => false,
        };
        let by_address = ty.is_some_and(|ty| is_behind || self.is_handed_by_address(ty));
        Parameter { name: self.units.name(at).unwrap_or_default(), ty, by_address }
    }

    /// The type of a parameter as it is handed over.
    fn parameter(&mut self, parameter: &Parameter) -> TypeId {
        let Some(at) = parameter.ty else { return TypeId::VOID };
        let id = self.wanted(at, WHOLE);
        if parameter.by_address { self.builder.add(&NewType::Ptr(id)) } else { id }
    }

    /// Whether values of a type are objects that are not simply copied: those are handed over by their address.
    fn is_handed_by_address(&self, at: At) -> bool {
        let mut at = at;
        for _ in 0..MOST_DIMENSIONS {
            let Some(entry) = self.units.entry(at) else { return false };
            match entry.tag() {
                dw::DW_TAG_typedef | dw::DW_TAG_const_type | dw::DW_TAG_volatile_type => match self.units.type_of(at) {
                    Some(of) => at = of,
                    None => return false,
                },
                dw::DW_TAG_structure_type | dw::DW_TAG_class_type => {
                    return match entry.attr_value(dw::DW_AT_calling_convention) {
                        Some(convention) => {
                            convention == AttributeValue::CallingConvention(dw::DW_CC_pass_by_reference)
                        }
                        None => self.has_destructor(at),
                    };
                }
                _ => return false,
            }
        }
        false
    }

    /// Whether a class has a destructor that somebody wrote.
    fn has_destructor(&self, at: At) -> bool {
        let is_written = |entry: &Entry<'a>| {
            entry.tag() == dw::DW_TAG_subprogram
                && [dw::DW_AT_artificial, dw::DW_AT_defaulted].iter().all(|name| entry.attr(*name).is_none())
        };
        let children = self.units.children(at);
        children
            .into_iter()
            .any(|(at, entry)| is_written(&entry) && self.units.name(at).is_some_and(|name| name.starts_with('~')))
    }

    /// Takes over a type that the script names, and what it consists of.
    pub fn named(&mut self, at: At) {
        self.wanted(at, WHOLE);
    }

    /// Takes over what all of these consist of. Gives the names of structs that must be looked for elsewhere.
    pub fn complete(&mut self) -> BTreeSet<String> {
        while let Some((at, id, depth)) = self.open.pop() {
            if let Some(entry) = self.units.entry(at)
                && let Some(ty) = self.convert(at, &entry, depth)
            {
                self.builder.set(id, &ty);
            }
        }
        std::mem::take(&mut self.declared)
    }

    /// Whether nothing was taken over.
    pub fn is_empty(&self) -> bool {
        self.builder.is_empty()
    }

    /// The types taken over.
    pub fn finish(self) -> Option<bpf::btf::Btf> {
        self.builder.finish().ok()
    }

    /// The number of a type, of which at least so much is taken over.
    fn wanted(&mut self, at: At, depth: Depth) -> TypeId {
        let full = self.known.len() >= MOST_TYPES;
        match self.known.get_mut(&at) {
            Some((id, known)) => {
                let more = Depth { whole: known.whole || depth.whole, behind: known.behind || depth.behind };
                if more != *known {
                    *known = more;
                    self.open.push((at, *id, more));
                }
                *id
            }
            None if full => TypeId::VOID,
            None => {
                let id = self.builder.reserve();
                self.known.insert(at, (id, depth));
                self.open.push((at, id, depth));
                id
            }
        }
    }

    /// The type that an entry's own is made of; `void` where it has none.
    fn of(&mut self, at: At, depth: Depth) -> TypeId {
        self.units.type_of(at).map_or(TypeId::VOID, |of| self.wanted(of, depth))
    }

    fn convert(&mut self, at: At, entry: &Entry<'a>, depth: Depth) -> Option<NewType> {
        let name = || self.units.name(at).unwrap_or_default();
        Some(match entry.tag() {
            dw::DW_TAG_base_type => number(entry, name()),
            dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type | dw::DW_TAG_rvalue_reference_type => {
                NewType::Ptr(self.of(at, Depth { whole: depth.behind, behind: depth.behind }))
            }
            dw::DW_TAG_ptr_to_member_type => {
                NewType::Int { name: "ptrdiff_t".to_owned(), bytes: 8, signed: true, boolean: false }
            }
            dw::DW_TAG_typedef | dw::DW_TAG_template_alias => NewType::Typedef { name: name(), of: self.of(at, depth) },
            dw::DW_TAG_const_type => NewType::Const(self.of(at, depth)),
            dw::DW_TAG_volatile_type => NewType::Volatile(self.of(at, depth)),
            dw::DW_TAG_restrict_type | dw::DW_TAG_atomic_type => NewType::Restrict(self.of(at, depth)),
            dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_union_type => {
                self.structure(at, entry, depth)
            }
            dw::DW_TAG_enumeration_type => self.enumeration(at, entry, name()),
            dw::DW_TAG_array_type => self.array(at, depth),
            dw::DW_TAG_subroutine_type => NewType::FuncProto { result: TypeId::VOID, params: vec![] },
            _ => return None,
        })
    }

    fn structure(&mut self, at: At, entry: &Entry<'a>, depth: Depth) -> NewType {
        let (name, union) = (self.units.name(at).unwrap_or_default(), entry.tag() == dw::DW_TAG_union_type);
        // A declaration may say where the type is described.
        let described = entry.attr_value(dw::DW_AT_signature).and_then(|value| self.units.referred(at.unit, value));
        if let Some(of) = described.filter(|of| *of != at) {
            return NewType::Typedef { name: String::new(), of: self.wanted(of, depth) };
        }
        let declared = entry.attr(dw::DW_AT_declaration).is_some();
        if declared && depth.whole && !name.is_empty() && !self.mentioned.is_empty() {
            self.declared.insert(name.clone());
        }
        if declared || !depth.whole {
            return NewType::Fwd { name, union };
        }
        let children = self.units.children(at);
        let members = children.into_iter().filter_map(|(at, entry)| self.member(at, &entry)).collect();
        NewType::Struct { name, bytes: number_of(entry, dw::DW_AT_byte_size).unwrap_or(0), union, members }
    }

    /// A member; the struct that a class is derived from is one without a name.
    fn member(&mut self, at: At, entry: &Entry<'a>) -> Option<NewMember> {
        let is_member = matches!(entry.tag(), dw::DW_TAG_member | dw::DW_TAG_inheritance);
        // What all objects of a class share lies elsewhere.
        let is_shared = entry.attr(dw::DW_AT_external).is_some() || entry.attr(dw::DW_AT_declaration).is_some();
        if !is_member || is_shared {
            return None;
        }
        let name = match entry.tag() {
            dw::DW_TAG_member => self.units.name(at).unwrap_or_default(),
            _ => String::new(),
        };
        let bit_width = number_of(entry, dw::DW_AT_bit_size).and_then(|width| u8::try_from(width).ok());
        let start = match entry.attr(dw::DW_AT_data_member_location) {
            None => 0,
            // Where it depends on the object it cannot be told.
            Some(location) => u32::try_from(location.udata_value()?).ok()?.checked_mul(8)?,
        };
        let bit_offset = match number_of(entry, dw::DW_AT_data_bit_offset) {
            Some(bits) => bits,
            None => match (number_of(entry, dw::DW_AT_bit_offset), bit_width) {
                // Counted from the highest bit of what it is kept in, up to DWARF 3.
                (Some(above), Some(width)) => {
                    let kept = number_of(entry, dw::DW_AT_byte_size).or_else(|| self.size_of(at))?;
                    start.checked_add(kept.checked_mul(8)?.checked_sub(above)?.checked_sub(width.into())?)?
                }
                _ => start,
            },
        };
        let ty = self.of(at, Depth { whole: true, behind: self.mentioned.contains(&name) });
        Some(NewMember { name, ty, bit_offset, bit_width: bit_width.filter(|width| *width > 0) })
    }

    /// Bytes of an entry's type, behind other names of it.
    fn size_of(&self, at: At) -> Option<u32> {
        let mut at = self.units.type_of(at)?;
        for _ in 0..MOST_DIMENSIONS {
            let entry = self.units.entry(at)?;
            if let Some(bytes) = number_of(&entry, dw::DW_AT_byte_size) {
                return Some(bytes);
            }
            at = self.units.type_of(at)?;
        }
        None
    }

    fn enumeration(&mut self, at: At, entry: &Entry<'a>, name: String) -> NewType {
        let constants: Vec<(String, i64)> = self
            .units
            .children(at)
            .into_iter()
            .filter(|(_, entry)| entry.tag() == dw::DW_TAG_enumerator)
            .filter_map(|(at, entry)| {
                let value = match entry.attr_value_raw(dw::DW_AT_const_value)? {
                    AttributeValue::Sdata(value) => value,
                    other => other.udata_value()? as i64,
                };
                Some((self.units.name(at)?, value))
            })
            .collect();
        let signed = constants.iter().any(|(_, value)| *value < 0);
        let bytes = number_of(entry, dw::DW_AT_byte_size).or_else(|| self.size_of(at)).unwrap_or(4);
        NewType::Enum { name, bytes, signed, constants }
    }

    /// An array: of arrays where it has several dimensions.
    fn array(&mut self, at: At, depth: Depth) -> NewType {
        let children = self.units.children(at);
        let dimensions = children.iter().filter(|(_, entry)| entry.tag() == dw::DW_TAG_subrange_type);
        let lengths: Vec<u32> = dimensions.take(MOST_DIMENSIONS).map(|(_, entry)| length(entry)).collect();
        let mut element = self.of(at, depth);
        let (outer, inner) = lengths.split_first().map_or((0, &[] as &[u32]), |(outer, inner)| (*outer, inner));
        for len in inner.iter().rev() {
            element = self.builder.add(&NewType::Array { element, len: *len });
        }
        NewType::Array { element, len: outer }
    }
}

/// Elements of a dimension; 0 where that is known only when the program runs.
fn length(entry: &Entry<'_>) -> u32 {
    let counted = number_of(entry, dw::DW_AT_count);
    counted.or_else(|| number_of(entry, dw::DW_AT_upper_bound)?.checked_add(1)).unwrap_or(0)
}

fn number_of(entry: &Entry<'_>, name: gimli::DwAt) -> Option<u32> {
    u32::try_from(entry.attr(name)?.udata_value()?).ok()
}

fn number(entry: &Entry<'_>, name: String) -> NewType {
    let bytes = number_of(entry, dw::DW_AT_byte_size).unwrap_or(0);
    let encoding = match entry.attr_value(dw::DW_AT_encoding) {
        Some(AttributeValue::Encoding(encoding)) => encoding,
        _ => dw::DW_ATE_unsigned,
    };
    match encoding {
        dw::DW_ATE_float | dw::DW_ATE_complex_float | dw::DW_ATE_imaginary_float | dw::DW_ATE_decimal_float => {
            NewType::Float { name, bytes }
        }
        dw::DW_ATE_signed | dw::DW_ATE_signed_char => NewType::Int { name, bytes, signed: true, boolean: false },
        dw::DW_ATE_boolean => NewType::Int { name, bytes, signed: false, boolean: true },
        _ => NewType::Int { name, bytes, signed: false, boolean: false },
    }
}

/// Tags of types that have a name of their own.
pub const NAMED: [DwTag; 5] = [
    dw::DW_TAG_structure_type,
    dw::DW_TAG_class_type,
    dw::DW_TAG_union_type,
    dw::DW_TAG_enumeration_type,
    dw::DW_TAG_typedef,
];
