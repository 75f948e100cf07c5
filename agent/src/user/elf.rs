//! ELF files: functions by their symbols, code by its address.
//!
//! Only what is asked for is read: a program of hundreds of megabytes costs its symbol tables. Source of the forms:
//! the ELF specification.

use std::fs::File;
use std::io;
use std::path::Path;

use lang::target::{LoadedPart, UserFunction, UserSymbol};
use object::elf::{PF_X, PT_LOAD};
use object::read::elf::{ElfFile64, ElfSymbol64, ProgramHeader};
use object::{Endianness, Object, ObjectKind, ObjectSymbol, ReadCache, ReadRef, SymbolKind};

/// A file, read as far as it is asked about.
pub type Elf<'data> = ElfFile64<'data, Endianness, &'data ReadCache<File>>;
/// A symbol of one.
pub type ElfSymbol<'data, 'file> = ElfSymbol64<'data, 'file, Endianness, &'data ReadCache<File>>;

/// Reads what `look` wants of a file. `None` in the result: it is no ELF file of this machine's width.
pub fn with_elf<T>(path: &Path, look: impl FnOnce(&Elf<'_>) -> T) -> io::Result<Option<T>> {
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
}
