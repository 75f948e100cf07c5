//! The program whose functions, marker, variable and page faults the suite's cases count: `shop.c`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::initramfs::GuestFile;
use crate::repo;

/// Linked to run in a guest without libraries, at the addresses that the cases name.
const FLAGS: [&str; 4] = ["-O1", "-static", "-no-pie", "-Wl,--section-start=.till=0x600000"];

/// Compiles it into a folder, as `/shop` of the guest.
///
/// # Errors
/// When there is no C compiler, or it fails, as where the C library cannot be linked statically.
pub fn build(folder: &Path) -> Result<GuestFile> {
    let (source, program) = (repo::root().join("xtask/src/vm/shop.c"), folder.join("shop"));
    let built =
        Command::new("cc").args(FLAGS).arg("-o").arg(&program).arg(&source).output().context("cannot run cc")?;
    ensure!(built.status.success(), "cc {}: {}", source.display(), String::from_utf8_lossy(&built.stderr).trim());
    let content = std::fs::read(&program).with_context(|| format!("cannot read {}", program.display()))?;
    Ok(GuestFile { path: "shop".to_owned(), content })
}
