//! What a user reads where something forbids tracing: each obstacle is named with its remedy.
//!
//! The obstacles are put up for one process alone: by taking capabilities from it, and by showing it other files of the kernel in a mount
//! namespace of its own. Says `SKIP` and why where that cannot be done.

use std::process::Command;

use agent::preflight;
use bpfleet_tests::binary::bpfleet;

/// Runs a script that needs nothing but the right to load programs.
const RUN: &str = "run -e 'BEGIN { exit(); }'";
/// Says of each kind of probe whether it is served, without attaching any: obstacles that only look like some are believed.
const REPORT: &str = "check --node-report";

/// What the command says when it is run behind `obstacle`, a shell's words that end in those of a command; `None` where that obstacle
/// cannot be put up here.
fn behind(obstacle: &str, arguments: &str) -> Option<String> {
    if !preflight::missing().is_empty() {
        println!("SKIP: there is an obstacle already");
        return None;
    }
    let shell = |command: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh", "-c", &format!("{obstacle} {command}")]);
        unshare
    };
    match shell("true").output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            println!("SKIP: {}", String::from_utf8_lossy(&output.stderr).trim());
            return None;
        }
        Err(error) => {
            println!("SKIP: unshare: {error}");
            return None;
        }
    }
    let output = shell(&format!("{} {arguments}", bpfleet().display())).output().expect("unshare");
    Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_missing_capability_is_named() {
    for capability in ["CAP_BPF", "CAP_PERFMON"] {
        let other = if capability == "CAP_BPF" { "perfmon" } else { "bpf" };
        let Some(said) = behind(&format!("exec setpriv --bounding-set=-all,+{other}"), RUN) else { return };
        assert!(said.contains(&format!("this process lacks {capability}")), "{said}");
        assert!(said.contains("run as root") && said.contains("securityContext"), "{said}");
    }
}

#[test]
fn a_kernel_that_keeps_perf_events_to_itself_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&file, "4\n").expect("a file");
    let place = "/proc/sys/kernel/perf_event_paranoid";
    let bind = format!(
        "mount --bind {} {place} && exec setpriv --bounding-set=-all,+bpf,+perfmon,+dac_override",
        file.path().display()
    );
    let Some(said) = behind(&bind, REPORT) else { return };
    assert!(said.contains("kernel.perf_event_paranoid is 4"), "{said}");
    assert!(said.contains("sysctl kernel.perf_event_paranoid=2"), "{said}");
}

#[test]
fn a_lockdown_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("lockdown"), "none integrity [confidentiality]\n").expect("a file");
    let bind = format!("mount --bind {} /sys/kernel/security && exec env", folder.path().display());
    let Some(said) = behind(&bind, REPORT) else { return };
    assert!(said.contains("locked down for confidentiality"), "{said}");
    assert!(said.contains("lockdown=integrity"), "{said}");
}

#[test]
fn closed_tracefs_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let bind = format!(
        "chmod 700 {0} && chown 1 {0} && mount --bind {0} /sys/kernel/tracing && mount --bind {0} /sys/kernel/debug && \
         exec setpriv --bounding-set=-all,+bpf,+perfmon",
        folder.path().display()
    );
    let Some(said) = behind(&bind, REPORT) else { return };
    assert!(said.contains("this process may not read tracefs"), "{said}");
}
