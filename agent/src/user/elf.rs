//! ELF files: functions by their symbols, code by its address, static markers by their notes.
//!
//! Only what is asked for is read: a program of hundreds of megabytes costs its symbol tables. Sources of the forms: the ELF
//! specification, and systemtap's sys/sdt.h for the notes.

use std::fs::File;
use std::io;
use std::path::Path;

use lang::target::{LoadedPart, Marker, UserFunction, UserSymbol};
use object::elf::{PF_X, PT_LOAD};
use object::read::elf::{ElfFile64, ElfSymbol64, ProgramHeader};
use object::{Endianness, Object, ObjectKind, ObjectSection, ObjectSymbol, ReadCache, ReadRef, SymbolKind};

type Elf<'data> = ElfFile64<'data, Endianness, &'data ReadCache<File>>;
type ElfSymbol<'data, 'file> = ElfSymbol64<'data, 'file, Endianness, &'data ReadCache<File>>;

/// Bytes of a note before its name, and of the three addresses a marker's note starts with.
const NOTE_HEADER: usize = 12;
const ADDRESSES: usize = 24;
/// The kind of note that describes a marker, and its owner.
const MARKER_NOTE: u32 = 3;
const MARKER_OWNER: &[u8] = b"stapsdt\0";

/// Reads what `look` wants of a file. `None` in the result: it is no ELF file of this machine's width.
fn with_elf<T>(path: &Path, look: impl FnOnce(&Elf<'_>) -> T) -> io::Result<Option<T>> {
    let cache = ReadCache::new(File::open(path)?);
    Ok(Elf::parse(&cache).ok().map(|elf| look(&elf)))
}

/// Whether the file is an ELF file that this module can read.
pub fn is_elf(path: &Path) -> bool {
    matches!(with_elf(path, |_| ()), Ok(Some(())))
}

/// Every function of the file's symbol tables, each name once, in name order.
///
/// # Errors
/// Where the file cannot be read. One that is not ELF has no functions.
pub fn functions(path: &Path) -> io::Result<Vec<UserFunction>> {
    let found = with_elf(path, |elf| {
        let mut functions: Vec<UserFunction> = Vec::new();
        for symbol in elf.symbols().chain(elf.dynamic_symbols()) {
            if symbol.kind() != SymbolKind::Text || !symbol.is_definition() || symbol.address() == 0 {
                continue;
            }
            // `memcpy@@GLIBC_2.14`: the version is no part of the name.
            let Some(name) = symbol.name().ok().and_then(|name| name.split('@').next()).filter(|n| !n.is_empty())
            else {
                continue;
            };
            if let Some(offset) = offset_of(elf, symbol.address(), 0) {
                functions.push(UserFunction {
                    name: name.to_owned(),
                    offset,
                    size: symbol.size(),
                    ..UserFunction::default()
                });
            }
        }
        sort(&mut functions);
        functions
    })?;
    Ok(found.unwrap_or_default())
}

/// Brings functions into the order of their names, and leaves out what is there twice.
pub fn sort(functions: &mut Vec<UserFunction>) {
    functions.sort_by(|a, b| a.name.cmp(&b.name).then(a.offset.cmp(&b.offset)));
    functions.dedup_by(|a, b| a.name == b.name && a.offset == b.offset);
}

/// Whether the file has no table of all its symbols.
pub fn is_stripped(path: &Path) -> bool {
    matches!(with_elf(path, |elf| elf.section_by_name(".symtab").is_none()), Ok(Some(true)))
}

/// The symbols of these names.
///
/// # Errors
/// Where the file cannot be read. One that is not ELF has no symbols.
pub fn symbols(path: &Path, names: &[&str]) -> io::Result<Vec<UserSymbol>> {
    let found = with_elf(path, |elf| {
        let symbol = |symbol: ElfSymbol<'_, '_>| {
            let name = symbol.name().ok()?.split('@').next()?;
            let wanted = symbol.is_definition() && names.contains(&name);
            wanted.then(|| UserSymbol { name: name.to_owned(), address: symbol.address(), size: symbol.size() })
        };
        elf.symbols().chain(elf.dynamic_symbols()).filter_map(symbol).collect()
    })?;
    Ok(found.unwrap_or_default())
}

/// What of a file is loaded where, and whether each process loads it at a place of its own.
///
/// # Errors
/// Where the file cannot be read. Of one that is not ELF nothing is loaded.
pub fn parts(path: &Path) -> io::Result<(Vec<LoadedPart>, bool)> {
    let found = with_elf(path, |elf| {
        let endian = elf.endian();
        let loaded = elf.elf_program_headers().iter().filter(|part| part.p_type(endian) == PT_LOAD);
        let part = loaded.map(|part| LoadedPart {
            offset: part.p_offset(endian),
            size: part.p_filesz(endian),
            address: part.p_vaddr(endian),
        });
        (part.collect(), elf.kind() != ObjectKind::Executable)
    })?;
    Ok(found.unwrap_or_default())
}

/// A function of a program that is linked to fixed addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FixedFunction {
    /// Where it starts.
    pub address: u64,
    /// Bytes.
    pub size: u64,
    /// As the symbol table has it.
    pub name: String,
}

/// The functions of a program by their addresses, sorted, where those are the same in every process; else none.
///
/// # Errors
/// Where the file cannot be read.
pub fn fixed_functions(path: &Path) -> io::Result<Vec<FixedFunction>> {
    let found = with_elf(path, |elf| {
        if elf.kind() != ObjectKind::Executable {
            return Vec::new();
        }
        let is_function = |symbol: &ElfSymbol<'_, '_>| symbol.kind() == SymbolKind::Text && symbol.is_definition();
        let function = |symbol: ElfSymbol<'_, '_>| {
            let name = symbol.name().ok()?.to_owned();
            Some(FixedFunction { address: symbol.address(), size: symbol.size(), name })
        };
        let mut functions: Vec<FixedFunction> =
            elf.symbols().chain(elf.dynamic_symbols()).filter(is_function).filter_map(function).collect();
        functions.sort();
        functions
    })?;
    Ok(found.unwrap_or_default())
}

/// The offset into the file of code at an address of the program. A file that is not ELF is taken to be code from its start on.
pub fn code_at(path: &Path, address: u64) -> Option<u64> {
    match with_elf(path, |elf| offset_of(elf, address, PF_X)).ok()? {
        Some(found) => found,
        None => Some(address),
    }
}

/// Every static marker of the file, in the order of its notes.
///
/// # Errors
/// Where the file cannot be read. One that is not ELF has no markers.
pub fn markers(path: &Path) -> io::Result<Vec<Marker>> {
    let found = with_elf(path, |elf| {
        // Tools that move code after linking move this section too, but not the addresses in the notes.
        let base = elf.section_by_name(".stapsdt.base").map(|section| section.address());
        let notes = elf.sections().filter(|section| section.name() == Ok(".note.stapsdt"));
        let mut markers = Vec::new();
        for section in notes {
            markers.extend(section.data().map(|data| parse_notes(data, base, elf)).unwrap_or_default());
        }
        markers
    })?;
    Ok(found.unwrap_or_default())
}

fn parse_notes(mut data: &[u8], base: Option<u64>, elf: &Elf<'_>) -> Vec<Marker> {
    let mut markers = Vec::new();
    while let Some(note) = next_note(data) {
        data = note.rest;
        if note.kind == MARKER_NOTE && note.owner == MARKER_OWNER {
            markers.extend(marker(note.body, base, elf));
        }
    }
    markers
}

/// A note, and what follows it.
#[derive(Debug, PartialEq, Eq)]
struct Note<'a> {
    owner: &'a [u8],
    kind: u32,
    body: &'a [u8],
    rest: &'a [u8],
}

fn next_note(data: &[u8]) -> Option<Note<'_>> {
    let word = |at: usize| data.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let (owner_size, body_size, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
    let owner = data.get(NOTE_HEADER..NOTE_HEADER.checked_add(owner_size)?)?;
    let start = NOTE_HEADER + owner_size.checked_next_multiple_of(4)?;
    let body = data.get(start..start.checked_add(body_size)?)?;
    let rest = data.get(start + body_size.checked_next_multiple_of(4)?..).unwrap_or_default();
    Some(Note { owner, kind, body, rest })
}

fn marker(body: &[u8], base: Option<u64>, elf: &Elf<'_>) -> Option<Marker> {
    let address = |at: usize| body.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let (place, noted_base, semaphore) = (address(0)?, address(8)?, address(16)?);
    let moved = base.map_or(0, |base| base.wrapping_sub(noted_base));
    let mut texts = body.get(ADDRESSES..)?.split(|byte| *byte == 0);
    let mut text = || texts.next().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let (provider, name, arguments) = (text()?, text()?, text()?);
    let offset = offset_of(elf, place.wrapping_add(moved), PF_X)?;
    let semaphore = match semaphore {
        0 => 0,
        address => offset_of(elf, address.wrapping_add(moved), 0)?,
    };
    Some(Marker { provider, name, offset, semaphore, arguments })
}

/// Where in the file an address of the program is, in a part that has `flags`.
pub fn offset_of<'data, R: ReadRef<'data>>(
    elf: &ElfFile64<'data, Endianness, R>,
    address: u64,
    flags: u32,
) -> Option<u64> {
    let endian = elf.endian();
    elf.elf_program_headers().iter().find_map(|part| {
        let within = address.checked_sub(part.p_vaddr(endian))?;
        let is_it =
            part.p_type(endian) == PT_LOAD && within < part.p_filesz(endian) && part.p_flags(endian) & flags == flags;
        is_it.then(|| part.p_offset(endian) + within)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_data_by_its_address() {
        let own = std::env::current_exe().expect("this program");
        assert_eq!(code_at(&own, 10), None);
        assert!(is_elf(&own));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert_eq!((is_elf(&script), code_at(&script, 7)), (false, Some(7)));
        assert_eq!(functions(&script).expect("a file").len(), 0);
    }

    #[test]
    fn a_note_that_is_cut_off_ends_the_list() {
        let mut note = [8u32.to_le_bytes(), 4u32.to_le_bytes(), 3u32.to_le_bytes()].concat();
        note.extend(MARKER_OWNER);
        note.extend([1, 2, 3, 4]);
        assert_eq!(next_note(&note), Some(Note { owner: MARKER_OWNER, kind: 3, body: &[1, 2, 3, 4], rest: &[] }));
        assert!(next_note(&note[..note.len() - 1]).is_none());
        assert!(next_note(&[0xff; 12]).is_none());
    }
}
