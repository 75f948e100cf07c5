//! Programs and libraries: which files a script's names stand for, and what can be attached to in them.
//!
//! In: what a script names ([`UserPattern`]) and perhaps a process. Out: files as the process sees them, with the functions, source lines
//! and static markers that are meant, each by its offset into the file, which is what the kernel wants, and the types of those functions
//! from their [debug information](debug). Attaching is [`crate::attach`]'s.

mod debug;
mod declare;
mod elf;
mod files;
mod instruction;
mod library;
mod markers;
mod skip;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;

use lang::needs::{Needs, SourceLine, UserPattern, UserWhat};
use lang::target::{UserFile, UserFunction};

use debug::Debug;

pub use debug::Image;
pub use elf::{FixedFunction, fixed_functions};
pub use files::{Place, files};
pub use markers::markers;

/// What the script's patterns stand for, by the file as the script names it. A name that stands for no file is left out.
pub fn gather(needs: &Needs) -> BTreeMap<String, Vec<UserFile>> {
    let mut wanted: BTreeMap<&str, Vec<&UserPattern>> = BTreeMap::new();
    for pattern in &needs.user {
        wanted.entry(&pattern.file).or_default().push(pattern);
    }
    let found = |(name, patterns): (&str, Vec<&UserPattern>)| {
        let files: Vec<UserFile> =
            files(name, needs.pid).into_iter().map(|place| describe(place, &patterns, needs)).collect();
        (!files.is_empty()).then(|| (name.to_owned(), files))
    };
    wanted.into_iter().filter_map(found).collect()
}

/// What is meant in one file. What cannot be read there is not there: the script's author is told that nothing matches.
fn describe(place: Place, patterns: &[&UserPattern], needs: &Needs) -> UserFile {
    let path = Path::new(&place.path);
    let whats = || patterns.iter().map(|pattern| &pattern.what);
    let debug = OnceCell::new();
    let debug = || debug.get_or_init(|| Debug::open(path, &needs.debug_folders)).as_ref();
    let mut file = UserFile { name: place.name, path: place.path.clone(), ..UserFile::default() };
    let by_source = whats().any(|what| matches!(what, UserWhat::Functions { demangled: true, .. }));
    if whats().any(|what| matches!(what, UserWhat::Functions { .. })) {
        let mut found = functions_and(path, debug).unwrap_or_default();
        if by_source {
            found.iter_mut().for_each(|function| function.demangled = demangled(&function.name));
        }
        let is_meant = |function: &UserFunction| {
            whats().any(|what| what.is_function(&function.name, function.demangled.as_deref()))
        };
        file.functions.extend(found.into_iter().filter(is_meant));
        if !needs.instructions {
            skip::note(path, &mut file.functions);
        }
        note_between(path, whats(), &mut file.functions);
    }
    describe_types(&mut file, patterns, needs, debug);
    for what in whats() {
        match what {
            UserWhat::Address(address) => {
                file.functions.extend(elf::code_at(path, *address).map(|offset| at_address(path, *address, offset)));
            }
            UserWhat::Line(line) => describe_line(&mut file, line, path, debug()),
            UserWhat::Functions { .. } | UserWhat::Symbol(_) | UserWhat::Markers { .. } => {}
        }
    }
    if whats().any(|what| matches!(what, UserWhat::Markers { .. })) {
        let found = markers(path).unwrap_or_default().into_iter();
        file.markers.extend(found.filter(|m| whats().any(|what| what.is_marker(&m.provider, &m.name))));
    }
    let symbols = whats().filter_map(|what| match what {
        UserWhat::Symbol(name) => Some(name.as_str()),
        _ => None,
    });
    describe_symbols(&mut file, path, &symbols.collect::<Vec<_>>());
    file
}

/// Adds the symbols that the script asks for, and what it takes to find them in a process.
fn describe_symbols(file: &mut UserFile, path: &Path, names: &[&str]) {
    if names.is_empty() {
        return;
    }
    file.symbols = elf::symbols(path, names).unwrap_or_default();
    (file.parts, file.moves) = elf::parts(path).unwrap_or_default();
}

/// Adds the types that the script wants of the file's functions, and those it names.
fn describe_types<'d>(
    file: &mut UserFile,
    patterns: &[&UserPattern],
    needs: &Needs,
    debug: impl Fn() -> Option<&'d Debug>,
) {
    let typed = |function: &UserFunction| {
        patterns.iter().any(|p| p.parameters && p.what.is_function(&function.name, function.demangled.as_deref()))
    };
    let typed: Vec<(&str, u64)> =
        file.functions.iter().filter(|f| typed(f)).map(|f| (f.name.as_str(), f.offset)).collect();
    if typed.is_empty() && needs.type_names.is_empty() {
        return;
    }
    let Some(debug) = debug().filter(|debug| debug.is_described()) else { return };
    file.described = true;
    let Some(described) = debug.describe(&typed, &needs.type_names, &needs.member_names) else { return };
    file.types = Some(described.types);
    for function in &mut file.functions {
        function.ty = described.functions.get(&function.offset).copied();
    }
}

/// Adds the places of a line of the source, or why there are none.
fn describe_line(file: &mut UserFile, line: &SourceLine, path: &Path, debug: Option<&Debug>) {
    let Some(debug) = debug else { return };
    match debug.line(&file.name, line) {
        Ok(addresses) => {
            let offsets = addresses.into_iter().filter_map(|address| elf::code_at(path, address));
            let place = |offset| UserFunction { name: line.to_string(), offset, ..UserFunction::default() };
            file.functions.extend(offsets.map(place));
        }
        Err(wrong) => file.wrong_lines.push(wrong),
    }
}

/// Notes the offsets that the script names and that lie in the middle of an instruction.
fn note_between<'w>(path: &Path, whats: impl Iterator<Item = &'w UserWhat>, functions: &mut [UserFunction]) {
    for what in whats {
        let UserWhat::Functions { offset, .. } = what else { continue };
        for function in
            functions.iter_mut().filter(|f| *offset > 0 && what.is_function(&f.name, f.demangled.as_deref()))
        {
            if *offset < function.size && !instruction::starts_at(path, function.offset, *offset) {
                function.between.push(*offset);
            }
        }
    }
}

/// The place at an address of the program, at an offset into the file.
fn at_address(path: &Path, address: u64, offset: u64) -> UserFunction {
    let functions = elf::functions(path).unwrap_or_default();
    let around = functions.iter().find(|f| (f.offset..f.offset + f.size).contains(&offset));
    let starts = around.is_none_or(|function| instruction::starts_at(path, function.offset, offset - function.offset));
    let between = if starts { vec![] } else { vec![0] };
    UserFunction { name: format!("{address:#x}"), offset, between, ..UserFunction::default() }
}

/// Every function of a file's symbol tables, and of its debug file's where it is stripped, each name once, in name order.
///
/// # Errors
/// Where the file cannot be read. One that is not ELF has no functions.
pub fn functions(path: &Path, debug_folders: &[String]) -> io::Result<Vec<UserFunction>> {
    let debug = OnceCell::new();
    functions_and(path, || debug.get_or_init(|| Debug::open(path, debug_folders)).as_ref())
}

/// As [`functions`], of a file whose debug information others look at too.
fn functions_and<'d>(path: &Path, debug: impl Fn() -> Option<&'d Debug>) -> io::Result<Vec<UserFunction>> {
    let mut found = elf::functions(path)?;
    if elf::is_stripped(path)
        && let Some(debug) = debug()
    {
        found.extend(debug.separate_functions());
        elf::sort(&mut found);
    }
    Ok(found)
}

/// The parameters of functions, by the functions' offsets: `struct inode* dir`.
pub fn parameters(path: &Path, of: &[UserFunction], debug_folders: &[String]) -> HashMap<u64, Vec<String>> {
    let names: Vec<(&str, u64)> = of.iter().map(|function| (function.name.as_str(), function.offset)).collect();
    let none = BTreeSet::new();
    let described = Debug::open(path, debug_folders).and_then(|debug| debug.describe(&names, &none, &none));
    let Some(described) = described else { return HashMap::new() };
    let written = |(offset, function)| (offset, declare::parameters(&described.types, function));
    described.functions.into_iter().map(written).collect()
}

/// What a C++ compiler made a symbol from.
pub fn demangled(symbol: &str) -> Option<String> {
    if !symbol.starts_with("_Z") {
        return None;
    }
    cpp_demangle::Symbol::new(symbol).ok()?.demangle().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(file: &str, name: &str) -> UserPattern {
        UserPattern {
            file: file.to_owned(),
            what: UserWhat::Functions { name: name.to_owned(), demangled: name.contains('('), offset: 0 },
            parameters: false,
        }
    }

    fn gather(patterns: &[UserPattern], pid: Option<u32>) -> BTreeMap<String, Vec<UserFile>> {
        super::gather(&Needs { user: patterns.to_vec(), pid, ..Needs::default() })
    }

    #[test]
    fn functions_of_this_very_program_are_found_by_wildcard_and_process() {
        let own = std::env::current_exe().expect("this program").display().to_string();
        let found = gather(&[pattern(&own, "*functions_of_this_very_program_are_found*")], None);
        let file = &found[&own][0];
        assert!(!file.functions.is_empty() && file.functions.iter().all(|f| f.offset > 0 && f.size > 0), "{file:?}");
        let mapped = gather(&[pattern("*", "*functions_of_this_very_program_are_found*")], Some(std::process::id()));
        assert!(mapped["*"].iter().any(|file| !file.functions.is_empty()), "{mapped:?}");
    }

    #[test]
    fn a_library_goes_by_its_short_name_and_is_called_by_its_path() {
        let found = gather(&[pattern("libc", "getpid")], None);
        let file = &found["libc"][0];
        assert!(file.name.starts_with('/') && file.name.contains("libc"), "{}", file.name);
        assert_eq!(file.functions.iter().filter(|function| function.name == "getpid").count(), 1);
        assert!(gather(&[pattern("no-such-library", "x")], None).is_empty());
    }

    #[test]
    fn the_names_of_the_source_are_told() {
        assert_eq!(demangled("_ZN4toys5trainEi").as_deref(), Some("toys::train(int)"));
        assert_eq!(demangled("train"), None);
    }
}
