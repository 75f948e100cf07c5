//! The sections of a file that hold debug information: mapped, and inflated where they are compressed.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};
use object::elf::PF_X;
use object::read::elf::{ElfFile64, ElfSymbol64, ProgramHeader};
use object::{CompressionFormat, Endianness, Object, ObjectSection, ObjectSymbol, SymbolKind};

use super::inflate::Packed;
use crate::sys::mapping::Mapping;
use crate::user::elf;

/// A part of a file as gimli reads it.
pub type Slice<'a> = EndianSlice<'a, LittleEndian>;
type Elf<'data> = ElfFile64<'data, Endianness, &'data [u8]>;

/// A file with debug information or without.
#[derive(Debug)]
pub struct Image {
    mapping: Mapping,
    sections: HashMap<&'static str, Section>,
}

#[derive(Debug)]
struct Section {
    start: usize,
    end: usize,
    /// What it comes to, where it is compressed.
    inflated: Option<(Packed, u64, OnceLock<Vec<u8>>)>,
}

/// The sections that are read.
const SECTIONS: [SectionId; 12] = [
    SectionId::DebugAbbrev,
    SectionId::DebugAddr,
    SectionId::DebugAranges,
    SectionId::DebugFrame,
    SectionId::DebugInfo,
    SectionId::DebugLine,
    SectionId::DebugLineStr,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugStr,
    SectionId::DebugStrOffsets,
    SectionId::DebugTypes,
];

impl Image {
    /// Opens a file; `None` where it is no ELF file of this machine's width and order.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let mapping = Mapping::of(&File::open(path)?)?;
        let Ok(elf) = Elf::parse(&*mapping) else { return Ok(None) };
        if elf.endian() != Endianness::Little {
            return Ok(None);
        }
        let mut sections = HashMap::new();
        for id in SECTIONS {
            if let Some(section) = elf.section_by_name(id.name()).and_then(|section| Section::of(&section)) {
                sections.insert(id.name(), section);
            }
        }
        Ok(Some(Self { mapping, sections }))
    }

    /// Whether it has any debug information.
    pub fn is_described(&self) -> bool {
        self.sections.contains_key(SectionId::DebugInfo.name())
    }

    /// Whether it has anything that a stripped program lacks.
    pub fn has_any(&self) -> bool {
        self.is_described() || Elf::parse(&*self.mapping).is_ok_and(|elf| elf.section_by_name(".symtab").is_some())
    }

    /// The debug information, to be read.
    pub fn dwarf(&self) -> Dwarf<Slice<'_>> {
        let section = |id: SectionId| Ok::<_, gimli::Error>(EndianSlice::new(self.bytes(id.name()), LittleEndian));
        Dwarf::load(section).unwrap_or_default()
    }

    /// The bytes of a section; none where it is absent or cannot be inflated.
    pub fn bytes(&self, name: &str) -> &[u8] {
        let Some(section) = self.sections.get(name) else { return &[] };
        let stored = self.mapping.get(section.start..section.end).unwrap_or_default();
        match &section.inflated {
            None => stored,
            Some((packed, size, bytes)) => bytes.get_or_init(|| packed.inflate(stored, *size)),
        }
    }

    /// The build id, if the file has one.
    pub fn build_id(&self) -> Option<Vec<u8>> {
        let elf = Elf::parse(&*self.mapping).ok()?;
        Some(elf.build_id().ok()??.to_vec())
    }

    /// The name and the checksum of the file that the debug information was moved to, if the file says so.
    pub fn link(&self) -> Option<(Vec<u8>, u32)> {
        let elf = Elf::parse(&*self.mapping).ok()?;
        let (name, checksum) = elf.gnu_debuglink().ok()??;
        Some((name.to_vec(), checksum))
    }

    /// The whole file.
    pub fn contents(&self) -> &[u8] {
        &self.mapping
    }

    /// The address that the code at an offset of the file has in the program.
    pub fn address_at(&self, offset: u64) -> Option<u64> {
        let elf = Elf::parse(&*self.mapping).ok()?;
        let endian = elf.endian();
        elf.elf_program_headers().iter().find_map(|part| {
            let within = offset.checked_sub(part.p_offset(endian))?;
            let is_code = part.p_type(endian) == object::elf::PT_LOAD && part.p_flags(endian) & PF_X != 0;
            (is_code && within < part.p_filesz(endian)).then(|| part.p_vaddr(endian).wrapping_add(within))
        })
    }

    /// Where in the file the code at an address of the program is.
    pub fn offset_of_code(&self, address: u64) -> Option<u64> {
        let elf = Elf::parse(&*self.mapping).ok()?;
        elf::offset_of(&elf, address, PF_X)
    }

    /// The functions of its symbol table: name, address and bytes.
    pub fn functions(&self) -> Vec<(String, u64, u64)> {
        Elf::parse(&*self.mapping).map(|elf| functions(&elf)).unwrap_or_default()
    }

    /// Those of the small symbol table that distributions of the Fedora family leave in stripped programs: a whole ELF file, packed, in
    /// a section of its own. Source: the manual of gdb, chapter "Debugging information in a special section".
    pub fn functions_within(&self) -> Vec<(String, u64, u64)> {
        let Ok(elf) = Elf::parse(&*self.mapping) else { return vec![] };
        let Some(Ok(packed)) = elf.section_by_name(".gnu_debugdata").map(|section| section.data()) else {
            return vec![];
        };
        let within = Packed::Xz.inflate(packed, MOST_WITHIN);
        Elf::parse(within.as_slice()).map(|elf| functions(&elf)).unwrap_or_default()
    }
}

/// The largest file that is unpacked from a section of another, in bytes.
const MOST_WITHIN: u64 = 1 << 26;

fn functions(elf: &Elf<'_>) -> Vec<(String, u64, u64)> {
    let is_function = |symbol: &ElfSymbol64<'_, '_, Endianness, &[u8]>| {
        symbol.kind() == SymbolKind::Text && symbol.is_definition() && symbol.address() != 0
    };
    let function = |symbol: ElfSymbol64<'_, '_, Endianness, &[u8]>| {
        Some((symbol.name().ok()?.to_owned(), symbol.address(), symbol.size()))
    };
    elf.symbols().filter(is_function).filter_map(function).collect()
}

impl Section {
    fn of<'data>(section: &impl ObjectSection<'data>) -> Option<Self> {
        let range = section.compressed_file_range().ok()?;
        let start = usize::try_from(range.offset).ok()?;
        let end = start.checked_add(usize::try_from(range.compressed_size).ok()?)?;
        let inflated = match range.format {
            CompressionFormat::None => None,
            CompressionFormat::Zlib => Some(Packed::Zlib),
            CompressionFormat::Zstandard => Some(Packed::Zstandard),
            other => {
                tracing::debug!(?other, "a section is left compressed");
                return None;
            }
        };
        // Nothing is stored of what a debug file leaves in the program.
        let inflated = inflated.map(|packed| (packed, range.uncompressed_size, OnceLock::new()));
        (start != end).then_some(Self { start, end, inflated })
    }
}
