//! Debian's cloud kernels, unpacked from their packages and kept in the user's cache, one folder per package version.
//! A kernel that is there is used without asking the network.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::debian::Apt;
use crate::repo;

/// A kernel ready to boot.
pub struct Kernel {
    /// The series it was asked for by, for instance `6.1`.
    pub series: String,
    /// Of the package, for instance `6.1.192-2`.
    pub version: String,
    pub image: PathBuf,
}

/// Where a series is published: one of Debian's suites.
const SUITES: [(&str, &str); 3] = [("5.10", "bullseye"), ("6.1", "bookworm"), ("6.12", "bookworm-backports")];

/// Depends on the newest image of the suite's series.
const META_PACKAGE: &str = "linux-image-cloud-amd64";

/// The newest kernel of a series in the cache, downloaded when there is none or `refresh` is set.
pub fn obtain(series: &str, refresh: bool) -> Result<Kernel> {
    let Some((_, suite)) = SUITES.iter().find(|(known, _)| *known == series) else {
        bail!("no source for kernel {series}; known are {}", SUITES.map(|(known, _)| known).join(", "));
    };
    let cache = repo::cache("kernels")?;
    fs::create_dir_all(&cache)?;
    if !refresh && let Some(kernel) = cached(&cache, series)? {
        return Ok(kernel);
    }
    download(&cache, suite)?;
    cached(&cache, series)?.with_context(|| format!("suite {suite} holds no kernel {series} any more"))
}

fn cached(cache: &Path, series: &str) -> Result<Option<Kernel>> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(cache)? {
        if let Ok(name) = entry?.file_name().into_string() {
            versions.push(name);
        }
    }
    let newest = versions.into_iter().filter(|version| is_of(version, series)).max_by_key(|version| numbers(version));
    Ok(newest.map(|version| Kernel { series: series.to_owned(), image: cache.join(&version).join("vmlinuz"), version }))
}

fn is_of(version: &str, series: &str) -> bool {
    version.strip_prefix(series).is_some_and(|rest| rest.starts_with('.'))
}

/// The numbers in a version, for comparison: enough for versions of one series.
fn numbers(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// Puts the suite's newest kernel into the cache.
fn download(cache: &Path, suite: &str) -> Result<()> {
    let scratch = tempfile::Builder::new().prefix(".fetch-").tempdir_in(cache)?;
    let apt = Apt::open_suite(&scratch.path().join("apt"), suite)?;
    let (package, version) = apt.newest_dependency(META_PACKAGE)?;
    let folder = cache.join(&version);
    if folder.is_dir() {
        return Ok(());
    }
    println!("fetching {package} {version}");
    let tree = scratch.path().join("tree");
    apt.unpack(&[&package], &tree)?;
    let image = fs::read_dir(tree.join("boot"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-")))
        .with_context(|| format!("{package} holds no kernel image"))?;
    let staged = scratch.path().join("kernel");
    fs::create_dir(&staged)?;
    fs::rename(image, staged.join("vmlinuz"))?;
    fs::rename(&staged, &folder)?;
    ensure!(folder.join("vmlinuz").is_file(), "{} is incomplete; remove it", folder.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kernel_of_the_series_is_taken() {
        let cache = tempfile::tempdir().unwrap();
        for version in ["6.1.99-1", "6.1.192-2", "6.12.5-1", "5.10.223-1"] {
            fs::create_dir(cache.path().join(version)).unwrap();
        }
        let newest = |series| cached(cache.path(), series).unwrap().map(|kernel| kernel.version);
        assert_eq!(newest("6.1").as_deref(), Some("6.1.192-2"));
        assert_eq!(newest("6.12").as_deref(), Some("6.12.5-1"));
        assert!(newest("6.6").is_none());
    }
}
