//! Which qemu runs the guest. Before 8.1, qemu's emulation could translate code while the kernel was patching it, and
//! kernels from 6.12 on crash within seconds half of the time (seen with Debian bookworm's 7.2: a double fault in
//! `kmem_cache_alloc`). So where the installed qemu is older, a newer one from the backports is unpacked into the
//! user's cache; it finds its libraries where the installed one has them.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::debian::Apt;
use crate::program::output_of;
use crate::repo;

const PROGRAM: &str = "qemu-system-x86_64";
/// The first release in which pages are locked before they are translated.
const SOUND: (u32, u32) = (8, 1);
const SUITE: &str = "bookworm-backports";
const PACKAGES: [&str; 3] = ["qemu-system-x86", "qemu-system-common", "qemu-system-data"];
/// Where the BIOS of Debian's seabios package is.
const BIOS: &str = "/usr/share/seabios";

/// A qemu and the arguments it always needs.
pub struct Emulator {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Emulator {
    /// The installed qemu if it is sound, else a newer one. Prints a warning when there is none to be had: the older
    /// kernels mostly run all the same.
    pub fn obtain() -> Result<Self> {
        let installed = Self { program: PROGRAM.into(), arguments: Vec::new() };
        let version = output_of(Command::new(PROGRAM).arg("--version"))?;
        if parse_version(&version).is_some_and(|version| version >= SOUND) {
            return Ok(installed);
        }
        Ok(Self::backported().unwrap_or_else(|error| {
            println!("warning: no newer qemu than the installed one, guests may crash: {error:#}");
            installed
        }))
    }

    fn backported() -> Result<Self> {
        let folder = repo::cache("emulator")?.join(SUITE);
        if !folder.is_dir() {
            let parent = folder.parent().context("the cache has no parent")?;
            fs::create_dir_all(parent)?;
            let scratch = tempfile::Builder::new().prefix(".fetch-").tempdir_in(parent)?;
            println!("fetching a newer qemu from {SUITE}");
            let tree = scratch.path().join("tree");
            Apt::open_suite(&scratch.path().join("apt"), SUITE)?.unpack(&PACKAGES, &tree)?;
            fs::rename(&tree, &folder)?;
        }
        let emulator = Self {
            program: folder.join("usr/bin").join(PROGRAM),
            arguments: vec!["-L".into(), folder.join("usr/share/qemu").into(), "-L".into(), BIOS.into()],
        };
        output_of(emulator.command().arg("--version"))?;
        Ok(emulator)
    }

    /// The emulator, to be given the guest's arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }
}

/// Major and minor number in what `--version` prints.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let version = text.split("version ").nth(1)?;
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_the_repair_are_told_apart() {
        let old = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright (c) 2003-2022\n";
        assert_eq!(parse_version(old), Some((7, 2)));
        assert!(parse_version("QEMU emulator version 10.0.2 (Debian)").unwrap() > SOUND);
        assert_eq!(parse_version("something else"), None);
    }
}
