//! The cache of built programs: one folder for each key, made in a scratch folder and moved into place when it is
//! complete, and `bin/`, which links to the programs of the keys in use. It survives the checkout, and several
//! checkouts may share it: a lock file serialises them. What the programs are is left to `recipe`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// An opened cache; the lock is held until it is dropped.
pub struct Cache {
    root: PathBuf,
    _lock: File,
}

impl Cache {
    /// Opens `$XDG_CACHE_HOME/bpfleet/control-plane`, waiting for whoever is filling it now.
    pub fn open() -> Result<Cache> {
        let root = location(std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME"))?;
        Self::open_at(root)
    }

    fn open_at(root: PathBuf) -> Result<Cache> {
        fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
        let lock = File::create(root.join("lock"))?;
        lock.lock().context("cannot lock the cache")?;
        Ok(Cache { root, _lock: lock })
    }

    /// The folder of links to all published programs.
    pub fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// Removes what `key` holds, if anything.
    pub fn forget(&self, key: &str) -> Result<()> {
        remove(&self.root.join(key))
    }

    /// The folder of `key`. When it is missing, `make(work, out)` is called with an empty scratch folder and the folder
    /// to fill; the scratch folder is removed afterwards, and nothing is kept when `make` fails.
    pub fn obtain(&self, key: &str, make: impl FnOnce(&Path, &Path) -> Result<()>) -> Result<PathBuf> {
        let folder = self.root.join(key);
        if folder.is_dir() {
            println!("{key}: cached");
            return Ok(folder);
        }
        let start = Instant::now();
        let (work, out) = (self.root.join("work"), self.root.join("out"));
        for scratch in [&work, &out] {
            remove(scratch)?;
            fs::create_dir(scratch)?;
        }
        let made = make(&work, &out);
        remove(&work)?;
        made.with_context(|| format!("cannot make {key}"))?;
        fs::rename(&out, &folder)?;
        println!("{key}: made in {} s", start.elapsed().as_secs());
        Ok(folder)
    }

    /// Links `programs`, all of which `folder` must hold, into `bin/`.
    pub fn publish(&self, folder: &Path, programs: &[&str]) -> Result<()> {
        let bin = self.bin();
        fs::create_dir_all(&bin)?;
        for name in programs {
            let program = folder.join(name);
            if !program.is_file() {
                bail!("{} is missing; run with --rebuild", program.display());
            }
            let fresh = bin.join(format!(".{name}"));
            remove(&fresh)?;
            symlink(&program, &fresh)?;
            fs::rename(&fresh, bin.join(name))?;
        }
        Ok(())
    }
}

fn location(xdg_cache: Option<OsString>, home: Option<OsString>) -> Result<PathBuf> {
    let base = match (xdg_cache.filter(|p| !p.is_empty()), home) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => PathBuf::from(home).join(".cache"),
        (None, None) => bail!("neither XDG_CACHE_HOME nor HOME is set"),
    };
    Ok(base.join("bpfleet/control-plane"))
}

/// Removes a file, a link or a folder with all it holds; nothing there is fine too. Go marks folders read-only, which
/// keeps only an ordinary user from emptying them.
fn remove(path: &Path) -> Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => return Ok(()),
    };
    gone.with_context(|| format!("cannot remove {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open_at(folder.path().join("cache")).unwrap();
        (folder, cache)
    }

    #[test]
    fn a_key_is_made_once_and_found_afterwards() {
        let (_folder, cache) = fresh();
        for round in 0..2 {
            let made = cache.obtain("a-1", |work, out| {
                assert_eq!(round, 0, "made twice");
                fs::write(work.join("object"), "scratch")?;
                Ok(fs::write(out.join("program"), "#!")?)
            });
            cache.publish(&made.unwrap(), &["program"]).unwrap();
            assert_eq!(fs::read_to_string(cache.bin().join("program")).unwrap(), "#!");
        }
        assert!(!cache.root.join("work").exists());
    }

    #[test]
    fn a_failed_build_leaves_no_key_behind() {
        let (_folder, cache) = fresh();
        let failed = cache.obtain("a-1", |_, out| {
            fs::write(out.join("program"), "half")?;
            bail!("no space")
        });
        assert!(format!("{:#}", failed.unwrap_err()).contains("no space"));
        let made = cache.obtain("a-1", |_, out| Ok(fs::write(out.join("other"), "")?)).unwrap();
        assert!(!made.join("program").exists());
        assert!(cache.publish(&made, &["program"]).is_err());
    }

    #[test]
    fn the_location_follows_the_environment() {
        let cache = location(Some("/c".into()), Some("/home/u".into())).unwrap();
        assert_eq!(cache, Path::new("/c/bpfleet/control-plane"));
        let home = location(Some("".into()), Some("/home/u".into())).unwrap();
        assert_eq!(home, Path::new("/home/u/.cache/bpfleet/control-plane"));
        assert!(location(None, None).is_err());
    }
}
