//! Types of several sources under one numbering: the kernel's, then those of modules and of loaded programs.
//!
//! A module's blob counts its types and strings from where the kernel's end, as every other module's does; a program's counts from the
//! start. Those that are added are renumbered to stand behind all that came before; [`Btf::origin`] tells where a type came from and
//! what its number is there, which is how the kernel knows it.

use super::{Btf, BtfError, HEADER, Header, Kind, MAGIC, TYPE, TypeId};

/// Types to add to the kernel's.
#[derive(Clone, Copy, Debug)]
pub enum Added<'a> {
    /// A module's: `/sys/kernel/btf/<module>`.
    Module(&'a [u8]),
    /// A loaded program's, or any others that stand alone.
    Alone(&'a [u8]),
}

/// Where added types stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The number of the first.
    first: u32,
    /// How much higher each is numbered than in its own blob.
    shift: u32,
}

/// How the numbers of a blob change when it is added.
struct Renumbering {
    /// The first type of its own, as it counts; what is below is the kernel's.
    first_type: u32,
    types: u32,
    /// The same for offsets of strings.
    first_string: u32,
    strings: u32,
}

impl Btf {
    /// These types, of one source, followed by others.
    ///
    /// # Errors
    /// Where one of the others is no blob, or does not fit behind these types.
    pub fn with(&self, others: &[Added<'_>]) -> Result<Self, BtfError> {
        let own = Header::read(&self.data)?;
        let mut types = section(&self.data, own.types, "type")?.to_vec();
        let mut strings = section(&self.data, own.strings, "string")?.to_vec();
        let (kernel_types, kernel_strings) = (self.type_count(), length(&strings)?);
        let (mut count, mut added) = (kernel_types, Vec::new());
        for other in others {
            let (Added::Module(data) | Added::Alone(data)) = other;
            let header = Header::read(data)?;
            let (first_type, first_string) = match other {
                Added::Module(_) => (kernel_types, kernel_strings),
                Added::Alone(_) => (1, 1),
            };
            let shift = count - first_type;
            let numbers =
                Renumbering { first_type, types: shift, first_string, strings: length(&strings)? - first_string };
            let part = section(data, header.types, "type")?;
            // A string section of its own begins with an empty name, which the kernel's has as well.
            let names = section(data, header.strings, "string")?;
            let names = if matches!(other, Added::Alone(_)) { names.get(1..).unwrap_or_default() } else { names };
            let before = types.len();
            types.extend(part);
            let new = types.get_mut(before..).unwrap_or_default();
            added.push(Part { first: count, shift });
            count = numbers.renumber(new, count)?;
            strings.extend(names);
        }
        let parsed = Self::parse(blob(&types, &strings))?;
        Ok(Self { added, ..parsed })
    }

    /// Which of the sources a type came from, 0 for the kernel and then in the order they were added, and its number there.
    pub fn origin(&self, id: TypeId) -> (usize, TypeId) {
        let source = self.added.partition_point(|part| part.first <= id.0);
        let shift = source.checked_sub(1).and_then(|last| self.added.get(last)).map_or(0, |part| part.shift);
        (source, TypeId(id.0 - shift))
    }

    /// The number by which a type of a source goes among all.
    pub fn among_all(&self, source: usize, id: TypeId) -> TypeId {
        let shift = source.checked_sub(1).and_then(|last| self.added.get(last)).map_or(0, |part| part.shift);
        TypeId(id.0.saturating_add(shift))
    }
}

/// A blob of these two sections.
pub(super) fn blob(types: &[u8], strings: &[u8]) -> Vec<u8> {
    let (type_bytes, string_bytes) = (types.len() as u32, strings.len() as u32);
    let mut blob = Vec::with_capacity(HEADER + types.len() + strings.len());
    blob.extend(MAGIC.to_le_bytes());
    // Version 1, no flags.
    blob.extend([1, 0]);
    for word in [HEADER as u32, 0, type_bytes, type_bytes, string_bytes] {
        blob.extend(word.to_le_bytes());
    }
    blob.extend(types);
    blob.extend(strings);
    blob
}

fn section<'a>(data: &'a [u8], (start, end): (usize, usize), name: &'static str) -> Result<&'a [u8], BtfError> {
    data.get(start..end).ok_or(BtfError::Section(name))
}

fn length(bytes: &[u8]) -> Result<u32, BtfError> {
    u32::try_from(bytes.len()).map_err(|_| BtfError::TooMany)
}

impl Renumbering {
    /// Changes every number in a section of types, the first of which gets the number `id`; the number after the last.
    fn renumber(&self, types: &mut [u8], mut id: u32) -> Result<u32, BtfError> {
        let mut rest = types;
        while !rest.is_empty() {
            let info = word(rest, 1).ok_or(BtfError::Truncated(id))?;
            let number = (info >> 24 & 0x1f) as u8;
            let kind = Kind::from_number(number).ok_or(BtfError::UnknownKind { id, kind: number })?;
            let size = TYPE + kind.trailing_bytes(info as u16);
            let (one, others) = rest.split_at_mut_checked(size).ok_or(BtfError::Truncated(id))?;
            self.change(one, kind);
            rest = others;
            id = id.checked_add(1).ok_or(BtfError::TooMany)?;
        }
        Ok(id)
    }

    fn change(&self, one: &mut [u8], kind: Kind) {
        self.string(one, 0);
        // Where the third word is a type, and which words of each trailing record are a name and a type.
        let (refers, record, name, ty): (bool, usize, Option<usize>, &[usize]) = match kind {
            Kind::Ptr
            | Kind::Typedef
            | Kind::Volatile
            | Kind::Const
            | Kind::Restrict
            | Kind::Func
            | Kind::Var
            | Kind::DeclTag
            | Kind::TypeTag => (true, 0, None, &[]),
            Kind::FuncProto => (true, 2, Some(0), &[1]),
            Kind::Array => (false, 3, None, &[0, 1]),
            Kind::Struct | Kind::Union => (false, 3, Some(0), &[1]),
            Kind::Datasec => (false, 3, None, &[0]),
            Kind::Enum => (false, 2, Some(0), &[]),
            Kind::Enum64 => (false, 3, Some(0), &[]),
            Kind::Void | Kind::Int | Kind::Fwd | Kind::Float => (false, 0, None, &[]),
        };
        if refers {
            self.type_at(one, 2);
        }
        if record == 0 {
            return;
        }
        for start in (3..one.len() / 4).step_by(record) {
            if let Some(name) = name {
                self.string(one, start + name);
            }
            for ty in ty {
                self.type_at(one, start + ty);
            }
        }
    }

    fn type_at(&self, one: &mut [u8], index: usize) {
        change_word(one, index, |id| if id >= self.first_type { id.wrapping_add(self.types) } else { id });
    }

    fn string(&self, one: &mut [u8], index: usize) {
        change_word(one, index, |at| if at >= self.first_string { at.wrapping_add(self.strings) } else { at });
    }
}

fn word(bytes: &[u8], index: usize) -> Option<u32> {
    bytes.get(index * 4..)?.first_chunk().map(|word| u32::from_le_bytes(*word))
}

fn change_word(bytes: &mut [u8], index: usize, change: impl FnOnce(u32) -> u32) {
    if let Some(word) = bytes.get_mut(index * 4..).and_then(|rest| rest.first_chunk_mut::<4>()) {
        *word = change(u32::from_le_bytes(*word)).to_le_bytes();
    }
}
