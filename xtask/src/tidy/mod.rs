//! `cargo xtask tidy`: the structural rules that rustc and clippy do not know. Reads the checkout and `cargo metadata`,
//! prints each violation as `path:line: message`, and fails when there is one.
//!
//! The rules:
//! * [`arrows`]: which workspace crate may depend on which;
//! * [`source`]: size of a file, its `//!` doc, where `unsafe` may stand, how files may be called;
//! * [`purity`]: pure crates switch on the lints that keep panics and I/O out of them;
//! * [`examples`]: an example is a script, a TraceJob and what it prints;
//! * [`hygiene`]: nothing from the machine it was written on, dependencies from crates.io alone.

mod arrows;
mod examples;
mod hygiene;
mod purity;
mod source;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::repo;

/// One broken rule, at the place to repair.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Relative to the root of the checkout.
    pub path: PathBuf,
    /// Counted from 1; 1 as well where the whole file is meant.
    pub line: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Violation {
    fn new(path: impl Into<PathBuf>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.message)
    }
}

/// Checks the whole checkout and prints what it finds; an error when a rule is broken.
pub fn run() -> Result<()> {
    let root = repo::root();
    let files = repo::files(&root)?;
    let mut violations = arrows::check(&root)?;
    violations.extend(purity::check(&root));
    violations.extend(examples::check(&files));
    let mut large = Vec::new();
    for path in &files {
        violations.extend(source::check_name(path));
        let Some(text) = read_text(&root.join(path))? else { continue };
        violations.extend(hygiene::check(path, &text, &root));
        if path.extension().is_some_and(|extension| extension == "rs") {
            violations.extend(source::check_text(path, &text));
            large.extend(source::check_growth(path, &text));
        }
    }
    violations.sort();
    for warning in &large {
        println!("warning: {warning}");
    }
    for violation in &violations {
        println!("{violation}");
    }
    println!("tidy: {} files, {} violations, {} warnings", files.len(), violations.len(), large.len());
    if !violations.is_empty() {
        bail!("the repository breaks {} of its own rules", violations.len());
    }
    Ok(())
}

/// The file's text, or nothing when it is not text (an image, a captured BTF blob) or a link that leads nowhere.
fn read_text(path: &Path) -> Result<Option<String>> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("cannot read {}", path.display()))?,
    };
    Ok(String::from_utf8(bytes).ok())
}
