//! The command of `-c`: words separated by blanks, the first a path or a name looked up in PATH.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::sys::child::Child;

/// Forks the command; it waits until it is started.
pub(super) fn fork(command: &str) -> io::Result<Child> {
    let words: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).collect();
    let name = words.first().copied().unwrap_or_default();
    let program = CString::new(find(name)?.as_os_str().as_bytes())?;
    let arguments = words.iter().map(|word| CString::new(*word)).collect::<Result<Vec<_>, _>>()?;
    Child::fork(&program, &arguments)
}

fn find(name: &str) -> io::Result<PathBuf> {
    let is_program = |path: &Path| {
        path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    let found = if name.contains('/') {
        Some(PathBuf::from(name)).filter(|path| is_program(path))
    } else {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&paths).map(|directory| directory.join(name)).find(|path| is_program(path))
    };
    found.ok_or_else(|| {
        let problem = format!("path '{name}' does not exist or is not executable");
        io::Error::new(io::ErrorKind::NotFound, problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_and_a_path_is_taken_as_it_is() {
        assert!(find("sh").unwrap().is_absolute());
        assert_eq!(find("/bin/sh").unwrap(), Path::new("/bin/sh"));
        let error = find("/etc/passwd").unwrap_err();
        assert_eq!(error.to_string(), "path '/etc/passwd' does not exist or is not executable");
    }
}
