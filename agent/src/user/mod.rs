//! Programs and libraries: which files a script's names stand for, and what can be attached to in them.
//!
//! In: what a script names ([`UserPattern`]) and perhaps a process. Out: files as the process sees them, with the functions and static
//! markers that are meant, each by its offset into the file, which is what the kernel wants. Attaching is [`crate::attach`]'s.

mod elf;
mod files;
mod library;

use std::collections::BTreeMap;
use std::path::Path;

use lang::needs::{UserPattern, UserWhat};
use lang::target::{UserFile, UserFunction};

pub use elf::{FixedFunction, fixed_functions, functions, markers};
pub use files::{Place, files};

/// What the patterns stand for, by the file as the script names it. A name that stands for no file is left out.
pub fn gather(patterns: &[UserPattern], pid: Option<u32>) -> BTreeMap<String, Vec<UserFile>> {
    let mut wanted: BTreeMap<&str, Vec<&UserWhat>> = BTreeMap::new();
    for pattern in patterns {
        wanted.entry(&pattern.file).or_default().push(&pattern.what);
    }
    let found = |(name, whats): (&str, Vec<&UserWhat>)| {
        let files: Vec<UserFile> = files(name, pid).into_iter().map(|place| describe(place, &whats)).collect();
        (!files.is_empty()).then(|| (name.to_owned(), files))
    };
    wanted.into_iter().filter_map(found).collect()
}

/// What is meant in one file. What cannot be read there is not there: the script's author is told that nothing matches.
fn describe(place: Place, whats: &[&UserWhat]) -> UserFile {
    let path = Path::new(&place.path);
    let mut file = UserFile { name: place.name, path: place.path.clone(), ..UserFile::default() };
    let by_source = whats.iter().any(|what| matches!(what, UserWhat::Functions { demangled: true, .. }));
    if whats.iter().any(|what| matches!(what, UserWhat::Functions { .. })) {
        let mut found = functions(path).unwrap_or_default();
        if by_source {
            found.iter_mut().for_each(|function| function.demangled = demangled(&function.name));
        }
        let is_meant = |function: &UserFunction| {
            whats.iter().any(|what| what.is_function(&function.name, function.demangled.as_deref()))
        };
        file.functions.extend(found.into_iter().filter(is_meant));
    }
    for what in whats {
        if let UserWhat::Address(address) = what
            && let Some(offset) = elf::code_at(path, *address)
        {
            file.functions.push(UserFunction { name: format!("{address:#x}"), offset, ..UserFunction::default() });
        }
    }
    if whats.iter().any(|what| matches!(what, UserWhat::Markers { .. })) {
        let found = markers(path).unwrap_or_default().into_iter();
        file.markers.extend(found.filter(|m| whats.iter().any(|what| what.is_marker(&m.provider, &m.name))));
    }
    file
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
            what: UserWhat::Functions { name: name.to_owned(), demangled: name.contains('(') },
        }
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
