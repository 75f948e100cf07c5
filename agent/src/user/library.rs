//! Executables and libraries by their short names.
//!
//! A name with a slash is a path. Another is looked for as a library, as the dynamic linker's cache knows them (`libc`, `ssl`,
//! `libssl.so.3`) or, where there is no such cache, as the folders of libraries hold them; then as a program in PATH (`bash`).

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::elf;

const CACHE: &str = "/etc/ld.so.cache";
/// How the cache's header starts, where glibc 2.32 and newer write nothing before it and older ones an older form.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// Bytes of the header, and of an entry.
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// The flags of an ELF library for this processor.
const THIS_PROCESSOR: u32 = if cfg!(target_arch = "aarch64") { 0x0a03 } else { 0x0303 };

/// Where linkers look for libraries, their own processor's folders first.
const FOLDERS: [&str; 7] = [LIBRARIES[0], LIBRARIES[1], "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"];
/// Debian's names for the folders of this processor's libraries.
const LIBRARIES: [&str; 2] = if cfg!(target_arch = "aarch64") {
    ["/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
} else {
    ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"]
};

/// The file a name stands for.
pub fn find(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    let library = match fs::read(CACHE) {
        Ok(cache) => library(&cache, name),
        // A system that has none: musl's linker keeps no cache, and small images leave it out.
        Err(_) => FOLDERS.iter().find_map(|folder| in_folder(Path::new(folder), name)),
    };
    library.or_else(|| program(name))
}

/// The library of a folder that is called so; of several the one whose name comes first.
fn in_folder(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let is_meant = |path: &PathBuf| {
        let known = path.file_name().map(|known| known.to_string_lossy().into_owned()).unwrap_or_default();
        let is_library = known.ends_with(".so") || known.contains(".so.");
        is_library && is_called(&known, name) && elf::is_elf(path)
    };
    entries.map(|entry| entry.path()).filter(is_meant).min()
}

/// The first library of the cache whose name is `name`, `name.so...` or `libname.so...`.
fn library(cache: &[u8], name: &str) -> Option<PathBuf> {
    let start = memchr::memmem::find(cache, MAGIC)?;
    let cache = cache.get(start..)?;
    let count = number(cache, MAGIC.len())? as usize;
    let entries = cache.get(HEADER..)?.chunks_exact(ENTRY).take(count);
    entries
        .filter(|entry| number(entry, 0) == Some(THIS_PROCESSOR))
        .find(|entry| number(entry, 4).and_then(|at| text(cache, at)).is_some_and(|known| is_called(known, name)))
        .and_then(|entry| text(cache, number(entry, 8)?))
        .map(PathBuf::from)
}

/// Whether a library of this file name is meant.
pub fn is_called(known: &str, name: &str) -> bool {
    let stem = known.split(".so").next().unwrap_or(known);
    known == name || stem == name || stem.strip_prefix("lib") == Some(name)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

fn text(cache: &[u8], at: u32) -> Option<&str> {
    let rest = cache.get(at as usize..)?;
    let end = memchr::memchr(0, rest)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache of these libraries, each with its path, after an older form that says nothing here.
    fn cache(libraries: &[(&str, &str)]) -> Vec<u8> {
        let mut strings = Vec::new();
        let mut entries = Vec::new();
        let strings_at = HEADER + ENTRY * libraries.len();
        for (name, path) in libraries {
            let mut place = |text: &str| {
                let at = (strings_at + strings.len()) as u32;
                strings.extend(text.bytes().chain([0]));
                at.to_ne_bytes()
            };
            let (key, value) = (place(name), place(path));
            entries.extend([THIS_PROCESSOR.to_ne_bytes(), key, value].concat());
            entries.extend([0; 12]);
        }
        let mut header = MAGIC.to_vec();
        header.extend((libraries.len() as u32).to_ne_bytes());
        header.resize(HEADER, 0);
        [b"ld.so-1.7.0\0".to_vec(), header, entries, strings].concat()
    }

    #[test]
    fn a_library_is_found_with_and_without_prefix_and_version() {
        let cache = cache(&[("libcap.so.2", "/lib/libcap.so.2"), ("libc.so.6", "/lib/libc.so.6")]);
        for name in ["libc", "c", "libc.so.6"] {
            assert_eq!(library(&cache, name), Some(PathBuf::from("/lib/libc.so.6")), "{name}");
        }
        assert_eq!(library(&cache, "libssl"), None);
        assert_eq!(library(&cache[..60], "libc"), None);
    }

    #[test]
    fn without_a_cache_the_folders_of_libraries_are_looked_through() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = std::env::current_exe().expect("this program");
        for name in ["libtoys.so.2", "libtoys.so.1", "libtoys-extra.so"] {
            std::os::unix::fs::symlink(&own, folder.path().join(name)).expect("a link");
        }
        fs::write(folder.path().join("libtoys.so"), "GROUP ( libtoys.so.1 )").expect("a script of the linker");
        assert_eq!(in_folder(folder.path(), "toys"), Some(folder.path().join("libtoys.so.1")));
        assert_eq!(in_folder(folder.path(), "libtoys.so.2"), Some(folder.path().join("libtoys.so.2")));
        assert_eq!(in_folder(folder.path(), "toy"), None);
    }

    #[test]
    fn the_shell_is_a_program_and_a_path_stays_a_path() {
        let shell = find("sh").expect("a shell in PATH");
        assert!(shell.is_absolute() && is_executable(&shell));
        assert_eq!(find("./missing"), Some(PathBuf::from("./missing")));
        assert_eq!(find("no-such-program-or-library"), None);
    }
}
