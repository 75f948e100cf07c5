//! The scripts that come with this machine's bpftrace: every one is right for some node, and where this kernel has what a script
//! names it is loaded.
//!
//! Says `SKIP` and why where bpftrace is not installed or this process may not trace. The same few scripts are compared with
//! what the installed bpftrace prints.

use std::path::{Path, PathBuf};
use std::process::Command;

use agent::preflight;
use agent::run::{RunError, RunOptions, run};

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

/// Scripts that print the same on every version.
const ALIKE: [&str; 8] = [
    r#"BEGIN { printf("%d %u %x %5d|%-5d|%05d %c %s %lld\n", -5, 7, 255, 42, 42, 42, 65, "text", 1234567890123); exit(); }"#,
    r#"BEGIN { printf("%d %d %d %d\n", 7 / 2, 7 % 3, 1 << 10, 0xff & 0x0f); exit(); }"#,
    r#"BEGIN { @a = 5; @b["x", 1] = 2; @b["y", 2] = 1; print(@a); print(@b); clear(@a); clear(@b); exit(); }"#,
    r#"BEGIN { @h = hist(0); @h = hist(1); @h = hist(1023); @h = hist(1024); @h = hist(5000000); print(@h); clear(@h); exit(); }"#,
    r#"BEGIN { @h = lhist(-1, 0, 10, 2); @h = lhist(0, 0, 10, 2); @h = lhist(9, 0, 10, 2); @h = lhist(10, 0, 10, 2); print(@h); clear(@h); exit(); }"#,
    r#"BEGIN { @c[1] = count(); @c[2] = count(); @c[2] = count(); @s[1] = sum(5); @s[1] = sum(7); print(@c); print(@s, 1); clear(@c); clear(@s); exit(); }"#,
    r#"BEGIN { $t = (1, "two", (3, 4)); printf("%d %s %d\n", $t.0, $t.1, $t.2.1); if ("abc" == "abc") { printf("same\n"); } exit(); }"#,
    r#"BEGIN { $i = 0; unroll(3) { printf("%d ", $i); $i++; } printf("%s\n", strncmp("abc", "abd", 2) == 0 ? "alike" : "other"); exit(); }"#,
];

#[test]
fn the_installed_bpftrace_prints_the_same() {
    let missing = preflight::missing();
    if !missing.is_empty() {
        println!("SKIP: {}", missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
        return;
    }
    for source in ALIKE {
        let theirs = match Command::new("bpftrace").args(["-q", "-e", source]).output() {
            Ok(theirs) => theirs,
            Err(error) => {
                println!("SKIP: bpftrace: {error}");
                return;
            }
        };
        let text = String::from_utf8_lossy(&theirs.stdout).into_owned();
        // Before 0.24 it counted its probes on the same stream; older ones have a blank behind the name of a histogram.
        let lines = text.lines().filter(|line| !line.starts_with("Attaching "));
        let text: String = lines.map(|line| format!("{}\n", line.trim_end())).collect();
        assert_eq!(ours(source).trim_end(), text.trim_end(), "{source}");
    }
}

fn ours(source: &str) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("output");
    let options = RunOptions {
        name: "stdin".to_owned(),
        source: source.to_owned(),
        quiet: true,
        output: Some(path.clone()),
        ..RunOptions::default()
    };
    let ran: Result<i32, RunError> = run(&options);
    ran.unwrap_or_else(|error| panic!("{source}\n{error}"));
    std::fs::read_to_string(path).expect("the output")
}
