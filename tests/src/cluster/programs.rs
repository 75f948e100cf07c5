//! Where the real programs are, and what a test does when they are not there.

use std::path::{Path, PathBuf};

/// The folder of programs that `cargo xtask control-plane` has filled.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
}

const NAMES: [&str; 7] =
    ["kube-apiserver", "kube-controller-manager", "etcd", "kubectl", "prometheus", "promtool", "helm"];

impl Programs {
    /// Looks into `$XDG_CACHE_HOME/bpfleet/control-plane/bin` or `~/.cache/bpfleet/control-plane/bin`.
    ///
    /// # Errors
    /// What is missing and how to get it, as one line.
    pub fn find() -> Result<Programs, String> {
        let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
            Some(cache) => PathBuf::from(cache),
            None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        };
        Self::in_folder(cache.join("bpfleet/control-plane/bin"))
    }

    fn in_folder(folder: PathBuf) -> Result<Programs, String> {
        match NAMES.iter().find(|name| !folder.join(name).is_file()) {
            None => Ok(Programs { folder }),
            Some(name) => {
                Err(format!("{name} is not in {}; `cargo xtask control-plane` puts it there", folder.display()))
            }
        }
    }

    /// The path of one of the programs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder that holds them all.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The programs, or `None` after printing `SKIP: reason` where `BPFLEET_ALLOW_SKIP=1` allows a test to be skipped.
///
/// # Panics
/// When the programs are missing and skipping is not allowed: a test that did not run must not look like one that
/// passed.
pub fn or_skip() -> Option<Programs> {
    match Programs::find() {
        Ok(programs) => Some(programs),
        Err(reason) => {
            skip(&reason);
            None
        }
    }
}

/// Prints `SKIP: reason`.
///
/// # Panics
/// Unless `BPFLEET_ALLOW_SKIP=1`.
pub fn skip(reason: &str) {
    let allowed = std::env::var("BPFLEET_ALLOW_SKIP").is_ok_and(|value| value == "1");
    assert!(allowed, "{reason} (BPFLEET_ALLOW_SKIP=1 skips such tests)");
    println!("SKIP: {reason}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kube-apiserver"), "").unwrap();
        let missing = Programs::in_folder(folder.path().to_owned()).unwrap_err();
        assert!(missing.starts_with("kube-controller-manager is not in "), "{missing}");
        assert!(missing.contains("cargo xtask control-plane"), "{missing}");
    }
}
