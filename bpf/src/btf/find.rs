//! Types by name, without an index of names: a name is first found in the string section, then its offset among the types.
//! That takes a tenth of a millisecond for a kernel's types, where an index of all names would take as long as hundreds of such
//! searches; what has been found is kept, since scripts ask for the same names.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::types::{EnumConstant, Kind, Param, Type};
use super::{Btf, TypeId};

/// How the typedef of a tracepoint's arguments is named.
const TRACEPOINT: &str = "btf_trace_";

/// So many names are kept at most.
const KEPT: usize = 4096;

/// What has been asked for and found, or not.
#[derive(Default)]
pub(super) struct Asked {
    types: Mutex<Answers<Option<TypeId>>>,
    /// The enum and the constant's place in it.
    constants: Mutex<Answers<Option<(TypeId, usize)>>>,
}

/// By name, and by kind as bits.
type Answers<T> = HashMap<String, Vec<(u32, T)>>;

impl Clone for Asked {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The answer that is kept, else the one that is found, which is kept.
fn answer<T: Copy>(kept: &Mutex<Answers<T>>, name: &str, kinds: u32, find: impl FnOnce() -> T) -> T {
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = lock().get(name).and_then(|known| known.iter().find(|(of, _)| *of == kinds)) {
        return *known;
    }
    let found = find();
    let mut answers = lock();
    if answers.len() >= KEPT {
        answers.clear();
    }
    answers.entry(name.to_owned()).or_default().push((kinds, found));
    found
}

impl Btf {
    /// The first type of this kind and name.
    pub fn find(&self, kind: Kind, name: &str) -> Option<TypeId> {
        self.find_any(&[kind], name)
    }

    /// The struct of this name.
    pub fn find_struct(&self, name: &str) -> Option<TypeId> {
        self.find(Kind::Struct, name)
    }

    /// The union of this name.
    pub fn find_union(&self, name: &str) -> Option<TypeId> {
        self.find(Kind::Union, name)
    }

    /// The enum of this name, of any width.
    pub fn find_enum(&self, name: &str) -> Option<TypeId> {
        self.find_any(&[Kind::Enum, Kind::Enum64], name)
    }

    /// The typedef of this name.
    pub fn find_typedef(&self, name: &str) -> Option<TypeId> {
        self.find(Kind::Typedef, name)
    }

    /// The integer of this name, as the kernel's compiler spells it: `long unsigned int`.
    pub fn find_int(&self, name: &str) -> Option<TypeId> {
        self.find(Kind::Int, name)
    }

    /// The function of this name.
    pub fn find_func(&self, name: &str) -> Option<TypeId> {
        self.find(Kind::Func, name)
    }

    /// The first type of any of these kinds with this name.
    pub fn find_any(&self, kinds: &[Kind], name: &str) -> Option<TypeId> {
        if name.is_empty() {
            return None;
        }
        let bits = kinds.iter().fold(0, |bits, kind| bits | 1u32.checked_shl(u32::from(*kind as u8)).unwrap_or(0));
        answer(&self.asked.types, name, bits, || {
            self.name_offsets(name).find_map(|offset| {
                self.ids_named(offset).find(|id| self.kind(*id).is_some_and(|kind| kinds.contains(&kind)))
            })
        })
    }

    /// Every type of a kind with its name, in order of their numbers.
    pub fn iter(&self, kind: Kind) -> impl Iterator<Item = (TypeId, &str)> {
        (0u32..).zip(&self.kinds).filter(move |(_, other)| **other == kind).map(|(id, _)| {
            let id = TypeId(id);
            (id, self.name(id))
        })
    }

    /// The value of an enum constant and its enum, by the constant's name alone, as C finds it.
    pub fn enum_constant(&self, name: &str) -> Option<(EnumConstant<'_>, TypeId)> {
        let (id, index) = answer(&self.asked.constants, name, 0, || self.find_constant(name))?;
        Some((self.enum_constants(id).nth(index)?, id))
    }

    fn find_constant(&self, name: &str) -> Option<(TypeId, usize)> {
        let offsets: Vec<u32> = self.name_offsets(name).collect();
        if offsets.is_empty() {
            return None;
        }
        let enums = (0u32..).zip(&self.kinds).filter(|(_, kind)| matches!(kind, Kind::Enum | Kind::Enum64));
        enums.map(|(id, kind)| (TypeId(id), if *kind == Kind::Enum { 2 } else { 3 })).find_map(|(id, words)| {
            let index = (0..self.count(id))
                .find(|index| self.word(id, 3 + index * words).is_some_and(|offset| offsets.contains(&offset)))?;
            Some((id, index))
        })
    }

    /// What the kernel hands to a tracepoint's raw form, in order; `None` where the tracepoint is not known. Source: each
    /// tracepoint has a typedef `btf_trace_<event>` of its probe function, whose first parameter is private to it.
    pub fn tracepoint_params(&self, event: &str) -> Option<Vec<Param<'_>>> {
        self.tracepoint_params_of(self.find_typedef(&format!("{TRACEPOINT}{event}"))?)
    }

    /// Every tracepoint with the typedef that describes it, in order of their numbers: quicker than asking for each by its name.
    pub fn tracepoints(&self) -> impl Iterator<Item = (&str, TypeId)> {
        self.iter(Kind::Typedef).filter_map(|(id, name)| Some((name.strip_prefix(TRACEPOINT)?, id)))
    }

    /// As [`Btf::tracepoint_params`], by the typedef.
    pub fn tracepoint_params_of(&self, typedef: TypeId) -> Option<Vec<Param<'_>>> {
        let Type::Ptr(proto) = self.ty(self.resolve(typedef))? else { return None };
        Some(self.params(self.resolve(proto)).skip(1).collect())
    }

    /// Where in the string section a name stands as a whole string. One place where the blob was deduplicated.
    fn name_offsets<'a>(&'a self, name: &'a str) -> impl Iterator<Item = u32> + 'a {
        let (start, end) = self.strings;
        let section = self.data.get(start..end).unwrap_or_default();
        memchr::memmem::find_iter(section, name.as_bytes()).filter_map(move |at| {
            let before = at.checked_sub(1).and_then(|before| section.get(before));
            let after = section.get(at + name.len());
            (before == Some(&0) && after == Some(&0)).then_some(at as u32)
        })
    }

    fn ids_named(&self, offset: u32) -> impl Iterator<Item = TypeId> {
        (0u32..).zip(&self.names).filter(move |(_, name)| **name == offset).map(|(id, _)| TypeId(id))
    }
}
