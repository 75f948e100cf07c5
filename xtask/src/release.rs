//! Release builds of the `bpfleet` binary, and what a binary is linked to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::repo;

/// The variable that names a binary to use instead of a fresh one; the suites in `tests/` read it as well.
pub const BINARY_VARIABLE: &str = "BPFLEET_BIN";

/// The binary that [`BINARY_VARIABLE`] names, or else one built now as `cargo build --release` does. Cargo's progress
/// goes to standard error.
pub fn binary() -> Result<PathBuf> {
    match std::env::var_os(BINARY_VARIABLE).filter(|path| !path.is_empty()) {
        Some(path) => Ok(path.into()),
        None => run(&mut cargo()),
    }
}

/// Builds the binary so that it needs no library and no loader. glibc's own name lookup works in it too, since DNS and
/// files are built into glibc from 2.34 on.
pub fn build_static() -> Result<PathBuf> {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    // With a target named, the flags reach the binary and not the build scripts and macros, which cannot be static.
    let binary = run(cargo().args(["--target", &triple]).env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    ensure!(libraries(&binary)?.is_empty(), "{} needs libraries", binary.display());
    Ok(binary)
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(repo::root())
        .args(["build", "--release", "--locked", "--package=bpfleet", "--bin=bpfleet", "--message-format=json"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    cargo
}

fn run(cargo: &mut Command) -> Result<PathBuf> {
    let output = cargo.output().context("cannot start cargo")?;
    ensure!(output.status.success(), "the release build failed");
    executable(&String::from_utf8_lossy(&output.stdout)).context("cargo names no executable")
}

/// The path in the last message of cargo's that names an executable.
fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .rev()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// The dynamic loader and the libraries of `binary`, as absolute paths; none when it is linked statically.
pub fn libraries(binary: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("ldd").arg(binary).output().context("cannot start ldd")?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(complaint.contains("not a dynamic executable"), "ldd {}: {complaint}", binary.display());
        return Ok(Vec::new());
    }
    Ok(parse_ldd(&String::from_utf8_lossy(&output.stdout)))
}

/// `NAME => PATH (ADDRESS)`, or `PATH (ADDRESS)` for the loader; the vdso has no path.
fn parse_ldd(text: &str) -> Vec<PathBuf> {
    text.lines()
        .flat_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(PathBuf::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_taken_from_cargos_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/t/release/bpfleet\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/release/bpfleet")));
        assert_eq!(executable("text\n"), None);
    }

    #[test]
    fn the_loader_and_every_library_are_found() {
        let text = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f13)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f14)\n";
        let expected = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from);
        assert_eq!(parse_ldd(text), expected);
        assert!(parse_ldd("\tstatically linked\n").is_empty());
    }
}
