//! Programs that come from Debian packages: installed when they are missing, so that a fresh machine needs no
//! preparation.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A program and the Debian package that brings it.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its absolute path, or its name when it is looked up in `PATH` and the system's sbin directories.
    pub name: &'static str,
    package: &'static str,
}

pub const QEMU: Program = Program { name: "qemu-system-x86_64", package: "qemu-system-x86" };
pub const BUSYBOX: Program = Program { name: "/bin/busybox", package: "busybox-static" };
pub const BPFTRACE: Program = Program { name: "bpftrace", package: "bpftrace" };
pub const BPFTOOL: Program = Program { name: "bpftool", package: "bpftool" };

/// Where programs for root are, which an ordinary user's `PATH` may lack.
const SYSTEM_DIRECTORIES: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Installs the packages of the programs that are missing.
///
/// # Errors
/// When apt-get is not there or fails, for instance for lack of privileges; the message says what to install.
pub fn ensure(programs: &[Program]) -> Result<()> {
    let missing: Vec<&str> =
        programs.iter().filter(|program| find(program.name).is_none()).map(|p| p.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(", "));
    let hint = || format!("cannot install {0}; as root: apt-get install {0}", missing.join(" "));
    apt(&["update", "-qq"]).with_context(hint)?;
    apt(&[&["install", "-qq", "-y", "--no-install-recommends"], missing.as_slice()].concat()).with_context(hint)
}

/// Where a program is, if it is.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // An absolute name replaces the directory it is joined to.
    std::env::split_paths(&path)
        .chain(SYSTEM_DIRECTORIES.iter().map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| Path::is_file(candidate))
}

fn apt(args: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .context("cannot start apt-get")?;
    if !output.status.success() {
        bail!("apt-get {}: {}", args[0], String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_name_and_by_path() {
        assert!(find("sh").is_some());
        assert_eq!(find("/bin/sh"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find("no-such-program"), None);
    }
}
