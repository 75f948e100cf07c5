//! Debug files: where the debug information of a stripped program lies.
//!
//! By the program's build id or by the name that the program itself gives, beside it and in the folders that packages use, as the
//! program's own mount namespace sees them and as this process does. Sources of the places: the manuals of gdb, chapter "Debugging
//! Information in Separate Files", and of elfutils.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use flate2::Crc;

use super::image::Image;

/// Where packages put debug files.
const GLOBAL: &str = "usr/lib/debug";

/// The debug file of a program; `folders` are more places to look for it, relative ones from the program's own folder.
pub fn find(path: &Path, program: &Image, folders: &[String]) -> Option<Image> {
    let build_id = program.build_id();
    let link = program.link();
    let is_it = |candidate: &Path| {
        if candidate == path {
            return None;
        }
        let image = Image::open(candidate).ok().flatten()?;
        let matches = match (&build_id, image.build_id()) {
            (Some(own), Some(other)) => *own == other,
            _ => link.as_ref().is_some_and(|(_, checksum)| checksum_of(image.contents()) == *checksum),
        };
        (matches && image.has_any()).then_some(image)
    };
    let link = link.as_ref().map(|(name, _)| OsStr::from_bytes(name));
    candidates(path, build_id.as_deref(), link, folders).iter().find_map(|candidate| is_it(candidate))
}

fn checksum_of(bytes: &[u8]) -> u32 {
    let mut checksum = Crc::new();
    checksum.update(bytes);
    checksum.sum()
}

/// The paths at which a program's debug file may be, likely ones first.
fn candidates(path: &Path, build_id: Option<&[u8]>, link: Option<&OsStr>, folders: &[String]) -> Vec<PathBuf> {
    let (root, inside) = split_root(path);
    let own_folder = path.parent().unwrap_or(Path::new(""));
    let by_id = build_id.filter(|id| id.len() > 1).map(|id| {
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let (first, rest) = hex.split_at(2);
        format!(".build-id/{first}/{rest}.debug")
    });
    let default: Option<OsString> = path.file_name().map(|name| [name, OsStr::new(".debug")].into_iter().collect());
    let names: Vec<&OsStr> = link.into_iter().chain(default.as_deref()).collect();
    let below = |folder: &Path| {
        let inside_folder = inside.parent().unwrap_or(Path::new("")).strip_prefix("/").unwrap_or(Path::new(""));
        let named = names.iter().flat_map(|name| [folder.join(inside_folder).join(name), folder.join(name)]);
        by_id.iter().map(|by_id| folder.join(by_id)).chain(named).collect::<Vec<_>>()
    };
    let mut found: Vec<PathBuf> = folders.iter().flat_map(|folder| below(&own_folder.join(folder))).collect();
    found.extend(below(&root.join(GLOBAL)));
    found.extend(names.iter().flat_map(|name| [own_folder.join(name), own_folder.join(".debug").join(name)]));
    if root != Path::new("/") {
        found.extend(below(&Path::new("/").join(GLOBAL)));
    }
    found
}

/// The root that a path is seen from, and the path from there: `/proc/PID/root/bin/app` is `/bin/app` in another mount namespace.
fn split_root(path: &Path) -> (PathBuf, PathBuf) {
    let mut parts = path.components();
    let head: PathBuf = parts.by_ref().take(4).collect();
    let is_root = head.starts_with("/proc") && head.ends_with("root");
    match is_root {
        true => (head, Path::new("/").join(parts.as_path())),
        false => (PathBuf::from("/"), std::path::absolute(path).unwrap_or_else(|_| path.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_files_are_looked_for_by_build_id_and_by_name() {
        let found = candidates(Path::new("/opt/app"), Some(&[0xab, 0xcd, 0xef]), Some(OsStr::new("app.dbg")), &[]);
        for path in [
            "/usr/lib/debug/.build-id/ab/cdef.debug",
            "/usr/lib/debug/opt/app.dbg",
            "/opt/app.dbg",
            "/opt/.debug/app.dbg",
            "/opt/.debug/app.debug",
        ] {
            assert!(found.contains(&PathBuf::from(path)), "{path}: {found:?}");
        }
    }

    #[test]
    fn a_program_of_another_mount_namespace_has_its_debug_files_there_first() {
        let found = candidates(Path::new("/proc/7/root/bin/app"), Some(&[1, 2]), None, &[]);
        assert_eq!(found[0], PathBuf::from("/proc/7/root/usr/lib/debug/.build-id/01/02.debug"));
        assert!(found.contains(&PathBuf::from("/usr/lib/debug/.build-id/01/02.debug")), "{found:?}");
        assert!(found.contains(&PathBuf::from("/proc/7/root/usr/lib/debug/bin/app.debug")), "{found:?}");
    }

    #[test]
    fn folders_that_are_given_come_first_and_may_be_relative_to_the_program() {
        let found = candidates(Path::new("/opt/app"), None, None, &["./debug".to_owned(), "/srv".to_owned()]);
        assert!(found.contains(&PathBuf::from("/opt/./debug/app.debug")), "{found:?}");
        assert!(found.contains(&PathBuf::from("/srv/opt/app.debug")), "{found:?}");
    }
}
