//! Where the `bpfleet` binary is that suites start as a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The binary that `BPFLEET_BIN` names; without it, cargo builds the one of the profile and target directory that this
/// test itself was built in.
///
/// # Panics
/// When it cannot be built.
pub fn bpfleet() -> PathBuf {
    if let Some(named) = std::env::var_os("BPFLEET_BIN").filter(|path| !path.is_empty()) {
        return named.into();
    }
    let test = std::env::current_exe().expect("the path of this test");
    // TARGET/PROFILE/deps/TEST
    let profile = test.ancestors().nth(2).expect("the folder of a profile");
    let target = profile.parent().expect("the target directory");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--package=bpfleet", "--bin=bpfleet", "--target-dir"]).arg(target);
    if profile.file_name().is_some_and(|name| name == "release") {
        cargo.arg("--release");
    }
    let built = cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).output().expect("cargo starts");
    assert!(built.status.success(), "bpfleet cannot be built:\n{}", String::from_utf8_lossy(&built.stderr));
    profile.join("bpfleet")
}
