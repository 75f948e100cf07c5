//! Which files a name stands for: a path, a pattern of paths, a library's or program's short name, whatever a process has mapped.
//!
//! With a process, paths are as that process sees them, which may be in another mount namespace than ours.

use std::fs;
use std::path::{Path, PathBuf};

use lang::glob;

use super::{elf, library};

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// What probes in it are called by.
    pub name: String,
    /// What leads to it from here.
    pub path: String,
}

/// The files that `name` stands for, none twice. Empty or `*` stands for every file of code that the process has mapped.
pub fn files(name: &str, pid: Option<u32>) -> Vec<Place> {
    match (pid, name) {
        (Some(pid), "" | "*") => mapped(pid),
        (None, "" | "*") => Vec::new(),
        (_, path) if path.contains('/') => at_path(path, pid),
        (_, pattern) if glob::is_pattern(pattern) => {
            let by_name = |place: &Place| {
                Path::new(&place.name).file_name().is_some_and(|n| glob::matches(pattern, &n.to_string_lossy()))
            };
            pid.map(mapped).unwrap_or_default().into_iter().filter(by_name).collect()
        }
        (_, short) => {
            let in_process = pid.map(mapped).unwrap_or_default().into_iter();
            let found = in_process.into_iter().find(|place| {
                Path::new(&place.name)
                    .file_name()
                    .is_some_and(|name| library::is_called(&name.to_string_lossy(), short))
            });
            let elsewhere = || library::find(short).map(|path| plain(&path));
            found.or_else(elsewhere).into_iter().collect()
        }
    }
}

/// A file that is called as it is found.
fn plain(path: &Path) -> Place {
    let path = path.display().to_string();
    Place { name: path.clone(), path }
}

/// A path or a pattern of paths, as the process sees it where it sees one there.
fn at_path(path: &str, pid: Option<u32>) -> Vec<Place> {
    let root = pid.and_then(foreign_root);
    let absolute = path.starts_with('/');
    if let Some(root) = root.filter(|_| absolute) {
        let there = expand(&format!("{root}{path}"));
        if !there.is_empty() {
            let name = |path: &PathBuf| {
                let path = path.display().to_string();
                Place { name: path.strip_prefix(&root).unwrap_or(&path).to_owned(), path }
            };
            return there.iter().map(name).collect();
        }
    }
    expand(path).iter().map(|path| plain(path)).collect()
}

/// The files that match a path with wildcards: those of code. A path without any stands for itself.
fn expand(path: &str) -> Vec<PathBuf> {
    if !glob::is_pattern(path) {
        return Some(PathBuf::from(path)).filter(|path| path.is_file()).into_iter().collect();
    }
    let mut found = vec![PathBuf::from(if path.starts_with('/') { "/" } else { "" })];
    for part in path.split('/').filter(|part| !part.is_empty()) {
        found = found.iter().flat_map(|folder| step(folder, part)).collect();
    }
    found.retain(|path| path.is_file() && elf::is_elf(path));
    found
}

/// What `part` of a pattern stands for in a folder, sorted.
fn step(folder: &Path, part: &str) -> Vec<PathBuf> {
    if !glob::is_pattern(part) {
        return vec![folder.join(part)];
    }
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(here).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| glob::matches(part, name) && (part.starts_with('.') || !name.starts_with('.')));
    names.sort();
    names.iter().map(|name| folder.join(name)).collect()
}

/// The files of code that a process has mapped, each once, in the order of its memory.
fn mapped(pid: u32) -> Vec<Place> {
    let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/maps")) else { return Vec::new() };
    let root = foreign_root(pid).unwrap_or_default();
    let mut found: Vec<Place> = Vec::new();
    for line in maps.lines() {
        // `7f..-7f.. r-xp 00001000 08:01 1234   /usr/lib/libc.so.6`: five words, then the path, which may have blanks in it.
        let mut rest = line;
        let mut words = std::iter::from_fn(|| {
            let (word, after) = rest.trim_start().split_once(' ')?;
            rest = after;
            Some(word)
        });
        let executable = words.nth(1).is_some_and(|mode| mode.contains('x'));
        let complete = words.nth(2).is_some();
        let name = rest.trim_start();
        if executable && complete && name.starts_with('/') && found.iter().all(|place| place.name != name) {
            found.push(Place { name: name.to_owned(), path: format!("{root}{name}") });
        }
    }
    found
}

/// What leads to the root of a process that sees other files than we do.
fn foreign_root(pid: u32) -> Option<String> {
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    let root = format!("/proc/{pid}/root");
    let other_root = fs::read_link(&root).is_ok_and(|root| root != Path::new("/"));
    (namespace("self") != namespace(&pid.to_string()) || other_root).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_files_of_code_alone() {
        let own = std::env::current_exe().expect("this program");
        let folder = own.parent().expect("a folder").display().to_string();
        let stem = own.file_name().expect("a name").to_string_lossy().into_owned();
        let found = files(&format!("{folder}/{}*", &stem[..stem.len() - 3]), None);
        assert!(found.iter().any(|place| Path::new(&place.path) == own), "{found:?}");
        assert!(found.iter().all(|place| !place.path.ends_with(".d")), "{found:?}");
    }

    #[test]
    fn a_process_has_mapped_its_program_and_its_libraries() {
        let own = std::env::current_exe().expect("this program").display().to_string();
        let found = files("*", Some(std::process::id()));
        assert!(found.iter().any(|place| place.name == own), "{found:?}");
        assert_eq!(files("libc", Some(std::process::id())).len(), 1);
        assert_eq!(files("*", None), []);
    }

    #[test]
    fn a_path_that_leads_nowhere_is_no_file() {
        assert_eq!(files("/no/such/file", None), []);
        assert_eq!(files("./no-such-*", None), []);
    }
}
