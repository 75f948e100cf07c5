//! Where the checkout is, which files belong to it, and where what outlives it is kept. Everything else in xtask asks here instead of guessing from the
//! current directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Directories that never hold sources, wherever they are in the tree.
const SKIPPED: [&str; 5] = [".git", "target", "node_modules", "corpus", "artifacts"];

/// The root of the checkout, from where cargo found this crate.
pub fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// The user's cache folder for one kind of thing that outlives the checkout. It need not exist yet.
pub fn cache(kind: &str) -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    Ok(base.context("neither XDG_CACHE_HOME nor HOME is set")?.join("bpfleet").join(kind))
}

/// Paths of every file below `root`, relative to it and sorted. A walk rather than `git ls-files`: it also works in an
/// exported tree, and where git distrusts the owner of the checkout.
pub fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(directory) = pending.pop() {
        let path = root.join(&directory);
        for entry in std::fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))? {
            let entry = entry?;
            let name = entry.file_name();
            if SKIPPED.iter().any(|skipped| name == *skipped) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                pending.push(directory.join(name));
            } else {
                found.push(directory.join(name));
            }
        }
    }
    found.sort();
    Ok(found)
}
