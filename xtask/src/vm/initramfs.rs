//! Packs the guest's root: busybox, the binary under test with the libraries it is linked to, and the generated
//! scripts. A cpio archive is written directly, so that neither `cpio` nor root is needed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cpio::newc::{Builder, trailer};

use crate::release;

/// Directories of the guest beside those its files need.
const MOUNT_POINTS: [&str; 4] = ["dev", "proc", "sys", "tmp"];
const DIRECTORY: u32 = 0o040_755;
const EXECUTABLE: u32 = 0o100_755;
/// Where Debian's busybox-static puts it.
const BUSYBOX: &str = "/bin/busybox";

/// A file of the guest; all of them are executable.
pub struct GuestFile {
    /// Relative to the guest's root.
    pub path: String,
    pub content: Vec<u8>,
}

/// Writes the archive to `target`. The binary becomes `/tracer`; `copied` are files of this machine that keep their paths, as do the
/// libraries that any of them needs.
pub fn pack(target: &Path, binary: &Path, copied: &[PathBuf], files: &[GuestFile]) -> Result<()> {
    let mut archive = Archive { out: BufWriter::new(File::create(target)?), known: Vec::new(), inode: 1 };
    for directory in MOUNT_POINTS {
        archive.directory(Path::new(directory))?;
    }
    archive.copy(Path::new("bin/busybox"), Path::new(BUSYBOX))?;
    archive.file(Path::new("bin/sh"), b"/bin/busybox", 0o120_777)?;
    archive.copy(Path::new("tracer"), binary)?;
    let mut kept: BTreeSet<PathBuf> = copied.iter().cloned().collect();
    for binary in copied.iter().map(PathBuf::as_path).chain([binary]) {
        kept.extend(release::libraries(binary)?);
    }
    for path in kept {
        archive.copy(path.strip_prefix("/").unwrap_or(&path), &path)?;
    }
    for file in files {
        archive.file(Path::new(&file.path), &file.content, EXECUTABLE)?;
    }
    trailer(&mut archive.out)?;
    archive.out.flush()?;
    Ok(())
}

struct Archive {
    out: BufWriter<File>,
    /// Directories written so far.
    known: Vec<PathBuf>,
    /// The next entry's number; equal numbers would make hard links.
    inode: u32,
}

impl Archive {
    fn copy(&mut self, path: &Path, source: &Path) -> Result<()> {
        let content = fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
        self.file(path, &content, EXECUTABLE)
    }

    fn file(&mut self, path: &Path, content: &[u8], mode: u32) -> Result<()> {
        if let Some(parent) = path.parent() {
            self.directory(parent)?;
        }
        self.entry(path, content, mode)
    }

    /// Writes the directory and those above it, unless they are there already.
    fn directory(&mut self, path: &Path) -> Result<()> {
        if path.as_os_str().is_empty() || self.known.iter().any(|known| known == path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.directory(parent)?;
        }
        self.known.push(path.to_owned());
        self.entry(path, &[], DIRECTORY)
    }

    fn entry(&mut self, path: &Path, content: &[u8], mode: u32) -> Result<()> {
        let name = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
        self.inode += 1;
        let size = u32::try_from(content.len()).with_context(|| format!("{name} is too large"))?;
        let mut writer = Builder::new(name).ino(self.inode).mode(mode).write(&mut self.out, size);
        writer.write_all(content)?;
        writer.finish()?;
        Ok(())
    }
}
