//! The dependency arrows between the crates of the workspace, checked against `cargo metadata`. Development
//! dependencies count like the others: a test that needs more than its crate may see belongs into `tests/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Violation;

/// A crate of the workspace and the local crates it may depend on.
struct Rule {
    package: &'static str,
    may_use: &'static [&'static str],
}

const RULES: [Rule; 9] = [
    Rule { package: "bpfleet-bpf", may_use: &[] },
    Rule { package: "bpfleet-report", may_use: &[] },
    Rule { package: "bpfleet-api", may_use: &[] },
    Rule { package: "bpfleet-lang", may_use: &["bpfleet-bpf", "bpfleet-report"] },
    Rule { package: "bpfleet-agent", may_use: &["bpfleet-lang", "bpfleet-bpf", "bpfleet-report", "bpfleet-api"] },
    Rule { package: "bpfleet-operator", may_use: &["bpfleet-lang", "bpfleet-report", "bpfleet-api"] },
    Rule { package: "bpfleet", may_use: LIBRARIES },
    Rule { package: "bpfleet-tests", may_use: LIBRARIES },
    Rule { package: "xtask", may_use: LIBRARIES },
];

const LIBRARIES: &[&str] =
    &["bpfleet-bpf", "bpfleet-report", "bpfleet-api", "bpfleet-lang", "bpfleet-agent", "bpfleet-operator"];

/// Asks cargo for the workspace at `root` and checks every arrow in it.
pub fn check(root: &Path) -> Result<Vec<Violation>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["metadata", "--format-version=1", "--no-deps", "--locked"])
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    Ok(check_metadata(&metadata, root))
}

fn check_metadata(metadata: &Value, root: &Path) -> Vec<Violation> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    packages.iter().flat_map(|package| check_package(package, root)).collect()
}

fn check_package(package: &Value, root: &Path) -> Vec<Violation> {
    let name = package["name"].as_str().unwrap_or_default();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap_or_default());
    let path = manifest.strip_prefix(root).unwrap_or(&manifest);
    let Some(rule) = RULES.iter().find(|rule| rule.package == name) else {
        return vec![Violation::new(path, 1, format!("{name} has no rule in xtask/src/tidy/arrows.rs"))];
    };
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    dependencies
        .iter()
        .filter(|dependency| dependency["path"].is_string())
        .filter_map(|dependency| dependency["name"].as_str())
        .filter(|target| !rule.may_use.contains(target))
        .map(|target| Violation::new(path, 1, format!("{name} may not depend on {target}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workspace(package: &str, dependencies: &[(&str, bool)]) -> Value {
        let dependencies: Vec<Value> = dependencies
            .iter()
            .map(|(name, local)| if *local { json!({"name": name, "path": "/r/x"}) } else { json!({"name": name}) })
            .collect();
        json!({"packages": [{"name": package, "manifest_path": "/r/dir/Cargo.toml", "dependencies": dependencies}]})
    }

    fn messages(metadata: &Value) -> Vec<String> {
        check_metadata(metadata, Path::new("/r")).iter().map(Violation::to_string).collect()
    }

    #[test]
    fn an_agent_that_uses_the_operator_is_refused() {
        let metadata = workspace("bpfleet-agent", &[("bpfleet-lang", true), ("bpfleet-operator", true)]);
        assert_eq!(messages(&metadata), ["dir/Cargo.toml:1: bpfleet-agent may not depend on bpfleet-operator"]);
    }

    #[test]
    fn a_pure_leaf_may_use_the_registry_but_nothing_local() {
        assert!(messages(&workspace("bpfleet-report", &[("serde", false)])).is_empty());
        assert_eq!(messages(&workspace("bpfleet-report", &[("bpfleet-bpf", true)])).len(), 1);
    }

    #[test]
    fn a_crate_without_a_rule_is_refused() {
        assert_eq!(
            messages(&workspace("bpfleet-new", &[])),
            ["dir/Cargo.toml:1: bpfleet-new has no rule in xtask/src/tidy/arrows.rs"]
        );
    }

    #[test]
    fn the_rules_contain_no_cycle() {
        let mut done: Vec<&str> = Vec::new();
        while done.len() < RULES.len() {
            let ready = RULES
                .iter()
                .find(|rule| !done.contains(&rule.package) && rule.may_use.iter().all(|used| done.contains(used)));
            done.push(ready.expect("a cycle among the rules").package);
        }
    }
}
