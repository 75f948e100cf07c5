//! Runs test targets, with nextest where it is installed and with plain cargo elsewhere, passes on what they say and
//! counts how they ended. A test that prints `SKIP: reason` and passes counts as skipped.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::tiers::{Kind, Target};
use crate::{release, repo};

/// How the tests of a tier ended.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// Why tests were skipped, each reason once.
    pub skips: Vec<String>,
}

impl Outcome {
    /// Adds the outcome of more tests.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        for reason in other.skips {
            self.note(reason);
        }
    }

    fn note(&mut self, reason: String) {
        if !self.skips.contains(&reason) {
            self.skips.push(reason);
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Builds and runs the tests of `targets`. Whatever the targets, the whole workspace is selected: a part of it would
/// select other features of its dependencies, and so compile them once more. `bpfleet` is the binary for tests that start
/// one; without it they would build their own.
pub fn run(targets: &[Target], bpfleet: Option<&Path>) -> Result<Outcome> {
    let mut cargo = cargo();
    if let Some(path) = bpfleet {
        cargo.env(release::BINARY_VARIABLE, path);
    }
    if nextest_is_installed() {
        return run_nextest(cargo, targets);
    }
    cargo.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    let mut chosen: Vec<Vec<&str>> = targets.iter().map(|target| selection(&target.kind)).collect();
    chosen.sort();
    chosen.dedup();
    cargo.args(chosen.concat()).args(["--", "--show-output"]);
    follow(&mut cargo, Plain::default())
}

/// What plain cargo calls a kind of target.
fn selection(kind: &Kind) -> Vec<&str> {
    match kind {
        Kind::Library => vec!["--lib"],
        Kind::Program(name) => vec!["--bin", name],
        Kind::Suite(name) => vec!["--test", name],
    }
}

fn run_nextest(mut cargo: Command, targets: &[Target]) -> Result<Outcome> {
    cargo.args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast", "--no-tests=pass", "--color=never"]);
    cargo.args(["--success-output=immediate", "--failure-output=immediate", "--filterset", &filterset(targets)]);
    follow(&mut cargo, Nextest::default())
}

fn filterset(targets: &[Target]) -> String {
    let one = |target: &Target| {
        let binary = match &target.kind {
            Kind::Library => "kind(lib)".to_owned(),
            Kind::Program(name) => format!("(kind(bin) & binary(={name}))"),
            Kind::Suite(name) => format!("(kind(test) & binary(={name}))"),
        };
        format!("(package(={}) & {binary})", target.package)
    };
    targets.iter().map(one).collect::<Vec<_>>().join(" | ")
}

fn nextest_is_installed() -> bool {
    cargo().args(["nextest", "--version"]).output().is_ok_and(|output| output.status.success())
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repo::root()).stdin(Stdio::null());
    command
}

/// Something that understands a test runner's output line by line.
trait Reader {
    /// Takes note of a line; whether it is worth showing.
    fn read(&mut self, line: &str) -> bool;
    fn outcome(self) -> Outcome;
}

/// Runs `command`, shows what `reader` lets through, and counts a failure that no test accounts for.
fn follow(command: &mut Command, mut reader: impl Reader) -> Result<Outcome> {
    let (read, write) = std::io::pipe()?;
    let mut child = command.stdout(write.try_clone()?).stderr(write).spawn().context("cannot start cargo")?;
    // The command holds the pipe's other end; while it does, reading would not come to an end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut lines = BufReader::new(read);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if reader.read(text) {
            println!("{text}");
        }
        line.clear();
    }
    let status = child.wait()?;
    let mut outcome = reader.outcome();
    if !status.success() && outcome.failed == 0 {
        println!("error: the tests could not be run: {status}");
        outcome.failed = 1;
    }
    Ok(outcome)
}

/// Reads nextest's output. What a passing test says is not shown, except why it skipped.
#[derive(Default)]
struct Nextest {
    outcome: Outcome,
    /// Whether the lines are a passing test's own output.
    in_passed: bool,
    /// Whether that test has said that it skipped.
    said_skip: bool,
}

impl Reader for Nextest {
    fn read(&mut self, line: &str) -> bool {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["PASS", "[", ..] | ["PASS", ..] if line.contains(" [") => {
                self.outcome.passed += 1;
                (self.in_passed, self.said_skip) = (true, false);
                true
            }
            ["Summary", ..] => {
                let number = |what: &str| {
                    let found = words.windows(2).find(|pair| pair[1].trim_end_matches([',', ')']) == what);
                    found.and_then(|pair| pair[0].trim_start_matches('(').parse().ok()).unwrap_or(0)
                };
                self.outcome.failed += number("failed") + number("timed") + number("exec");
                self.in_passed = false;
                true
            }
            [status, ..] if is_status(status, line) => {
                self.in_passed = false;
                true
            }
            ["SKIP:", ..] if self.in_passed => {
                if !self.said_skip {
                    self.outcome.passed -= 1;
                    self.outcome.skipped += 1;
                    self.said_skip = true;
                }
                self.outcome.note(words[1..].join(" "));
                true
            }
            _ => !self.in_passed,
        }
    }

    fn outcome(self) -> Outcome {
        self.outcome
    }
}

/// Whether a line begins another test's report: `FAIL [   0.1s] ...` and its kin.
fn is_status(word: &str, line: &str) -> bool {
    ["FAIL", "SLOW", "TIMEOUT", "ABORT", "SIGSEGV", "SIGKILL", "SIGABRT", "SIGTERM", "LEAK", "TRY", "START"]
        .contains(&word)
        && line.contains(" [")
}

/// Reads the output of `cargo test -- --show-output`.
#[derive(Default)]
struct Plain {
    outcome: Outcome,
    skips: usize,
}

impl Reader for Plain {
    fn read(&mut self, line: &str) -> bool {
        if let Some(reason) = line.strip_prefix("SKIP: ") {
            self.skips += 1;
            self.outcome.note(reason.to_owned());
        }
        if let Some(result) = line.strip_prefix("test result: ") {
            for part in result.split([';', '.']) {
                let mut words = part.split_whitespace();
                let Some(number) = words.next().and_then(|word| word.parse::<usize>().ok()) else { continue };
                match words.next() {
                    Some("passed") => self.outcome.passed += number,
                    Some("failed") => self.outcome.failed += number,
                    Some("ignored") => self.outcome.skipped += number,
                    _ => {}
                }
            }
        }
        true
    }

    fn outcome(mut self) -> Outcome {
        let skips = self.skips.min(self.outcome.passed);
        self.outcome.passed -= skips;
        self.outcome.skipped += skips;
        self.outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut reader: impl Reader, text: &str) -> (Outcome, Vec<String>) {
        let shown = text.lines().filter(|line| reader.read(line)).map(str::to_owned).collect();
        (reader.outcome(), shown)
    }

    #[test]
    fn nextest_output_is_counted_and_passing_tests_are_kept_short() {
        let text = "    Starting 4 tests across 2 binaries\n\
                    \u{20}       PASS [   0.006s] (1/4) bpfleet-agent::hand_made one\n\
                    \u{20} stdout ───\n\n    running 1 test\n    SKIP: no CAP_BPF\n    test one ... ok\n\n\
                    \u{20}       FAIL [   0.010s] (2/4) bpfleet-agent::hand_made two\n\
                    \u{20} stderr ───\n    assertion failed\n\n\
                    \u{20}       PASS [   0.006s] (3/4) bpfleet-agent three\n  stdout ───\n    noise\n\
                    \u{20}    TIMEOUT [  60.006s] (4/4) bpfleet-agent four\n\
                    ────────────\n     Summary [   0.019s] 4 tests run: 2 passed, 1 failed, 1 timed out, 0 skipped\n";
        let (outcome, shown) = read(Nextest::default(), text);
        assert_eq!((outcome.passed, outcome.failed, outcome.skipped), (1, 2, 1));
        assert_eq!(outcome.skips, ["no CAP_BPF"]);
        assert!(shown.iter().any(|line| line.contains("assertion failed")));
        assert!(!shown.iter().any(|line| line.contains("noise") || line.contains("running 1 test")));
    }

    #[test]
    fn cargo_output_is_counted() {
        let text = "running 3 tests\ntest a ... ok\n\nsuccesses:\n\n---- a stdout ----\nSKIP: not root\n\n\
                    test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s\n";
        let (outcome, _) = read(Plain::default(), text);
        assert_eq!((outcome.passed, outcome.failed, outcome.skipped), (1, 1, 2));
        assert_eq!(outcome.skips, ["not root"]);
    }

    #[test]
    fn a_run_that_fails_without_a_failed_test_is_a_failure() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'error: could not compile'; exit 101"]);
        assert_eq!(follow(&mut command, Nextest::default()).unwrap().failed, 1);
    }

    #[test]
    fn a_filter_names_each_target() {
        let target = |kind| Target { package: "p".to_owned(), kind };
        assert_eq!(
            filterset(&[target(Kind::Library), target(Kind::Suite("s".to_owned()))]),
            "(package(=p) & kind(lib)) | (package(=p) & (kind(test) & binary(=s)))"
        );
    }
}
