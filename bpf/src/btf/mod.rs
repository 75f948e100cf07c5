//! The kernel's type information (BTF), read in place; and that of programs, [built](build) in the same form.
//!
//! Owns one blob as `/sys/kernel/btf/vmlinux` gives it. [`Btf::parse`] makes one pass over it and notes where each type starts;
//! everything else is decoded when it is asked for, since a script names a handful of the 150,000 types. Corrupt input gives
//! an error or `None`, never a panic and never an endless walk. Reading the file is left to the agent.
//!
//! Source: Documentation/bpf/btf.rst of the kernel.

pub mod build;
mod declare;
mod find;
pub mod functions;
mod layout;
mod sources;
mod types;

use std::borrow::Cow;

pub use layout::Member;
pub use sources::Added;
pub use types::{EnumConstant, Kind, Param, Type};

/// The first two bytes of every little-endian blob.
const MAGIC: u16 = 0xeb9f;
/// Bytes of the header's fixed part.
const HEADER: usize = 24;
/// Bytes each type starts with.
const TYPE: usize = 12;

/// The number of a type in its blob; 0 is `void`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

impl TypeId {
    /// `void`.
    pub const VOID: TypeId = TypeId(0);
}

impl std::fmt::Display for TypeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

/// Why a blob cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BtfError {
    /// Too short, or not BTF, or of another byte order.
    #[error("not little-endian BTF")]
    NotBtf,
    /// The header's version is not 1.
    #[error("BTF version {0} is not known")]
    Version(u8),
    /// The header points outside of the blob.
    #[error("the {0} section of the BTF lies outside of it")]
    Section(&'static str),
    /// A type's kind is not known, so that what follows it cannot be found.
    #[error("BTF type {id} is of the unknown kind {kind}")]
    UnknownKind {
        /// The type's number.
        id: u32,
        /// Its kind.
        kind: u8,
    },
    /// A type runs over the end of the type section.
    #[error("BTF type {0} is cut off")]
    Truncated(u32),
    /// The types of several sources take more numbers or bytes than there are.
    #[error("too many BTF types")]
    TooMany,
}

/// One blob of type information.
#[derive(Clone)]
pub struct Btf {
    data: Cow<'static, [u8]>,
    /// Where the string section starts in `data`, and where it ends.
    strings: (usize, usize),
    /// Where each type starts in `data`; entry 0 stands for `void` and is unused.
    offsets: Vec<u32>,
    /// Each type's name, as an offset into the string section.
    names: Vec<u32>,
    /// Each type's kind.
    kinds: Vec<Kind>,
    asked: find::Asked,
    /// What was added to the blob's own types, in order.
    added: Vec<sources::Part>,
}

impl std::fmt::Debug for Btf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Btf").field("bytes", &self.data.len()).field("types", &self.offsets.len()).finish()
    }
}

impl Btf {
    /// Takes the bytes of a whole blob, such as `/sys/kernel/btf/vmlinux`: owned, or mapped for good.
    pub fn parse(data: impl Into<Cow<'static, [u8]>>) -> Result<Self, BtfError> {
        let data = data.into();
        let header = Header::read(&data)?;
        let types = data.get(header.types.0..header.types.1).ok_or(BtfError::Section("type"))?;
        if data.get(header.strings.0..header.strings.1).is_none() {
            return Err(BtfError::Section("string"));
        }
        // The types of a kernel take 24 bytes on average.
        let expected = types.len() / 20 + 1;
        let mut offsets = Vec::with_capacity(expected);
        let mut names = Vec::with_capacity(expected);
        let mut kinds = Vec::with_capacity(expected);
        offsets.push(0);
        names.push(0);
        kinds.push(Kind::Void);
        let mut at = 0;
        while at < types.len() {
            let id = offsets.len() as u32;
            let start = types.get(at..).and_then(|rest| rest.first_chunk::<TYPE>()).ok_or(BtfError::Truncated(id))?;
            let [n0, n1, n2, n3, i0, i1, _, i3, ..] = *start;
            let kind = Kind::from_number(i3 & 0x1f).ok_or(BtfError::UnknownKind { id, kind: i3 & 0x1f })?;
            offsets.push((header.types.0 + at) as u32);
            names.push(u32::from_le_bytes([n0, n1, n2, n3]));
            kinds.push(kind);
            at += TYPE + kind.trailing_bytes(u16::from_le_bytes([i0, i1]));
        }
        if at != types.len() {
            return Err(BtfError::Truncated(offsets.len() as u32 - 1));
        }
        let (asked, added) = (find::Asked::default(), Vec::new());
        Ok(Self { strings: header.strings, offsets, names, kinds, data, asked, added })
    }

    /// How many types there are, `void` included: every [`TypeId`] below is valid.
    pub fn type_count(&self) -> u32 {
        self.offsets.len() as u32
    }

    /// The string at an offset of the string section; empty where there is none or it is not UTF-8.
    fn string(&self, offset: u32) -> &str {
        let (start, end) = self.strings;
        let bytes = self.data.get(start.saturating_add(offset as usize)..end).unwrap_or_default();
        let length = memchr::memchr(0, bytes).unwrap_or(0);
        bytes.get(..length).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// The 32-bit word `index` words after the start of a type.
    fn word(&self, id: TypeId, index: usize) -> Option<u32> {
        let start = *self.offsets.get(id.0 as usize)? as usize;
        if id == TypeId::VOID {
            return None;
        }
        self.data.get(start + index * 4..)?.first_chunk().map(|word| u32::from_le_bytes(*word))
    }
}

/// The two sections, as ranges of the blob.
struct Header {
    types: (usize, usize),
    strings: (usize, usize),
}

impl Header {
    fn read(data: &[u8]) -> Result<Self, BtfError> {
        let fixed = data.first_chunk::<HEADER>().ok_or(BtfError::NotBtf)?;
        let word = |index: usize| {
            let bytes = fixed.get(index * 4..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
            u32::from_le_bytes(bytes)
        };
        let [magic0, magic1, version, ..] = *fixed;
        if u16::from_le_bytes([magic0, magic1]) != MAGIC {
            return Err(BtfError::NotBtf);
        }
        if version != 1 {
            return Err(BtfError::Version(version));
        }
        let section = |offset: u32, length: u32, name| {
            let start = u64::from(word(1)) + u64::from(offset);
            let end = start + u64::from(length);
            if end <= data.len() as u64 && end <= u64::from(u32::MAX) {
                Ok((start as usize, end as usize))
            } else {
                Err(BtfError::Section(name))
            }
        };
        Ok(Self { types: section(word(2), word(3), "type")?, strings: section(word(4), word(5), "string")? })
    }
}

#[cfg(test)]
mod tests;
