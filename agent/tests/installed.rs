//! The scripts that come with this machine's bpftrace: every one is right for some node, and where this kernel has what a script
//! names it is loaded.
//!
//! Says `SKIP` and why where bpftrace is not installed or this process may not trace.

use std::path::{Path, PathBuf};

use agent::preflight;

/// Codes that say what this kernel lacks, not what is wrong with the script: probes, kernel symbols and members of its structs.
const LACKING: [&str; 5] = ["E0401", "E0406", "E0407", "E0515", "E0316"];

/// Scripts of the installed package.
fn installed() -> Vec<PathBuf> {
    let folders = ["/usr/sbin", "/usr/share/bpftrace/tools"];
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "bt")).collect();
    found.sort();
    found
}

fn source(path: &Path) -> String {
    std::fs::read_to_string(path).expect("an installed script can be read")
}

/// Whether bpftrace's scripts are there; says so if not.
fn scripts_or_skip() -> Option<Vec<PathBuf>> {
    let scripts = installed();
    if scripts.is_empty() {
        println!("SKIP: no script of bpftrace's is installed");
        return None;
    }
    Some(scripts)
}

#[test]
fn every_installed_script_is_right_for_some_node() {
    let Some(scripts) = scripts_or_skip() else { return };
    for path in scripts {
        let source = source(&path);
        let name = path.display().to_string();
        let tree =
            lang::parse(&source).unwrap_or_else(|found| panic!("{}", lang::render::terminal(&name, &source, &found)));
        let options = lang::Options { unsafe_allowed: true, ..lang::Options::default() };
        let found = lang::check(&source, &tree, &lang::target::Target::generic(), &options);
        let errors: Vec<_> = found.into_iter().filter(|d| d.severity == lang::diagnostic::Severity::Error).collect();
        assert!(errors.is_empty(), "{}", lang::render::terminal(&name, &source, &errors));
    }
}

#[test]
fn what_this_kernel_has_the_probes_for_is_loaded() {
    let Some(scripts) = scripts_or_skip() else { return };
    let missing = preflight::missing();
    if !missing.is_empty() {
        println!("SKIP: {}", missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
        return;
    }
    let mut loaded = vec![];
    for path in scripts {
        let source = source(&path);
        let tree = lang::parse(&source).expect("it parses");
        let target = agent::target::gather(&lang::needs(&tree)).expect("a target");
        let options = lang::Options { unsafe_allowed: true, ..lang::Options::default() };
        let compiled = match lang::compile(&source, &tree, &target, &options) {
            Ok(compiled) => compiled,
            Err(found) => {
                let of_this_kernel = found.iter().any(|d| LACKING.contains(&d.code));
                assert!(of_this_kernel, "{}", lang::render::terminal(&path.display().to_string(), &source, &found));
                continue;
            }
        };
        agent::load::load(&compiled).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        loaded.push(path);
    }
    assert!(!loaded.is_empty(), "some script needs tracepoints only");
}
