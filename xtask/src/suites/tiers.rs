//! Which test target belongs to which tier, decided from `cargo metadata`, so that a new target is never forgotten.

use std::fmt;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::repo;

/// A group of tests with the same needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Tier {
    /// No privileges and nothing installed.
    Unit,
    /// Real programs in this machine's kernel, as root.
    Kernel,
    /// A real Kubernetes control plane and Prometheus on loopback.
    Cluster,
    /// Other kernels, in qemu.
    Vm,
}

impl Tier {
    /// In the order in which they run.
    pub const ALL: [Self; 4] = [Self::Unit, Self::Kernel, Self::Cluster, Self::Vm];
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unit => "unit",
            Self::Kernel => "kernel",
            Self::Cluster => "cluster",
            Self::Vm => "vm",
        })
    }
}

/// The crate of the suites that cross crates, and how the names of those begin that need something.
const SUITES: &str = "bpfleet-tests";
const NEED_CLUSTER: [&str; 6] = ["chart", "cluster", "dashboards", "kubernetes", "operator", "prometheus"];
const NEED_KERNEL: [&str; 4] = ["demo", "examples", "kernel", "run"];

/// One binary of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub package: String,
    pub kind: Kind,
}

/// What a test binary is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Library,
    Program(String),
    /// A file below `tests/`.
    Suite(String),
}

/// The targets of a tier, from the workspace's metadata.
pub fn targets(tier: Tier) -> Result<Vec<Target>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(repo::root())
        .args(["metadata", "--format-version=1", "--no-deps", "--locked"])
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    let mut targets = all_targets(&metadata);
    targets.retain(|target| tier_of(target) == tier);
    Ok(targets)
}

fn all_targets(metadata: &Value) -> Vec<Target> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for package in list(&metadata["packages"]) {
        for target in list(&package["targets"]) {
            let name = target["name"].as_str().unwrap_or_default().to_owned();
            let optional = target["required-features"].as_array().is_some_and(|features| !features.is_empty());
            let kind = match target["kind"][0].as_str().unwrap_or_default() {
                _ if optional || target["test"] == Value::Bool(false) => continue,
                "lib" => Kind::Library,
                "bin" => Kind::Program(name),
                "test" => Kind::Suite(name),
                _ => continue,
            };
            found.push(Target { package: package["name"].as_str().unwrap_or_default().to_owned(), kind });
        }
    }
    found
}

fn tier_of(target: &Target) -> Tier {
    let package = target.package.as_str();
    let begins = |name: &str, starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    match &target.kind {
        Kind::Suite(name) if package == SUITES && begins(name, &NEED_CLUSTER) => Tier::Cluster,
        Kind::Suite(name) if package == SUITES && begins(name, &NEED_KERNEL) => Tier::Kernel,
        // What the agent and the command do can only be seen in the kernel.
        Kind::Suite(_) if ["bpfleet-agent", "bpfleet"].contains(&package) => Tier::Kernel,
        Kind::Library | Kind::Program(_) | Kind::Suite(_) => Tier::Unit,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tier(package: &str, kind: Kind) -> Tier {
        tier_of(&Target { package: package.to_owned(), kind })
    }

    #[test]
    fn a_suite_goes_where_its_needs_are_met() {
        assert_eq!(tier("bpfleet-lang", Kind::Suite("cases".to_owned())), Tier::Unit);
        assert_eq!(tier("bpfleet-agent", Kind::Library), Tier::Unit);
        assert_eq!(tier("bpfleet-agent", Kind::Suite("hand_made".to_owned())), Tier::Kernel);
        assert_eq!(tier("bpfleet-tests", Kind::Suite("cluster_harness".to_owned())), Tier::Cluster);
        assert_eq!(tier("bpfleet-tests", Kind::Suite("examples".to_owned())), Tier::Kernel);
        assert_eq!(tier("bpfleet-tests", Kind::Suite("reports".to_owned())), Tier::Unit);
    }

    #[test]
    fn targets_without_tests_or_with_extra_needs_are_left_out() {
        let metadata = json!({"packages": [{"name": "a", "targets": [
            {"name": "a", "kind": ["lib"], "test": true},
            {"name": "b", "kind": ["bin"], "test": true, "required-features": ["x"]},
            {"name": "c", "kind": ["custom-build"], "test": false},
            {"name": "d", "kind": ["test"], "test": true},
        ]}]});
        let kinds: Vec<Kind> = all_targets(&metadata).into_iter().map(|target| target.kind).collect();
        assert_eq!(kinds, [Kind::Library, Kind::Suite("d".to_owned())]);
    }

    #[test]
    fn every_tier_of_this_workspace_but_the_virtual_machine_has_targets() {
        for tier in [Tier::Unit, Tier::Kernel, Tier::Cluster] {
            assert!(!targets(tier).unwrap().is_empty(), "{tier}");
        }
    }
}
