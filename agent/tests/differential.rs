//! What scripts print here and with bpftrace: the same, or what is written down as a difference between versions, with its reason.
//!
//! `differential/alike.txt` holds scripts, each a line `== its name`, the script, a line `--` and what it prints. In
//! `differential/differ.txt` the line `--` goes on with why, and a line `-- bpftrace 0.17` leads what that version prints. Both are
//! compared byte for byte, but for how many empty lines the output ends with.
//!
//! Says `SKIP` and why where bpftrace is not installed or this process may not trace.

use std::path::Path;
use std::process::Command;

use agent::preflight;
use agent::run::{RunOptions, run};

/// The version whose output is written down.
const VERSION: &str = "0.17";
/// bpftrace mostly waits: some of them wait beside each other.
const AT_ONCE: usize = 4;

struct Case {
    name: String,
    script: String,
    ours: String,
    /// Why bpftrace prints something else, and what; absent where it prints the same.
    theirs: Option<(String, String)>,
}

impl Case {
    fn expected_of_bpftrace(&self) -> &str {
        self.theirs.as_ref().map_or(&self.ours, |(_, output)| output)
    }
}

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential").join(file);
    let text = format!("\n{}", std::fs::read_to_string(path).expect("the cases can be read"));
    text.split("\n== ").skip(1).map(case).collect()
}

fn case(text: &str) -> Case {
    let (name, rest) = text.split_once('\n').expect("a case has a name");
    let (script, rest) = rest.split_once("\n--").expect("a case has a line '--'");
    let (reason, rest) = rest.split_once('\n').expect("what is printed begins on a line of its own");
    let (ours, theirs) = match rest.split_once(&format!("\n-- bpftrace {VERSION}\n")) {
        Some((ours, theirs)) => (ours, Some((reason.trim().to_owned(), end(theirs)))),
        None => (rest, None),
    };
    Case { name: name.to_owned(), script: script.to_owned(), ours: end(ours), theirs }
}

/// Versions differ in how many empty lines they leave at the end.
fn end(text: &str) -> String {
    text.trim_end_matches('\n').to_owned()
}

fn all() -> Vec<Case> {
    let mut cases = cases("alike.txt");
    cases.extend(self::cases("differ.txt"));
    cases
}

fn may_trace() -> bool {
    let missing = preflight::missing();
    if !missing.is_empty() {
        println!("SKIP: {}", missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    }
    missing.is_empty()
}

#[test]
fn every_difference_is_one_and_has_a_reason() {
    for case in cases("differ.txt") {
        let (reason, theirs) = case.theirs.as_ref().unwrap_or_else(|| panic!("{} lacks bpftrace's output", case.name));
        assert!(!reason.is_empty(), "{}", case.name);
        assert_ne!(*theirs, case.ours, "{}", case.name);
    }
    for case in cases("alike.txt") {
        assert!(case.theirs.is_none(), "{} belongs among the differences", case.name);
    }
}

#[test]
fn every_script_prints_what_is_written_down() {
    if !may_trace() {
        return;
    }
    let mut wrong = String::new();
    for case in all() {
        let found = ours(&case.script);
        if found != case.ours {
            wrong += &format!("== {}\n{}\nexpected\n{}\nfound\n{found}\n", case.name, case.script, case.ours);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
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
    match run(&options) {
        Ok(0) => end(&String::from_utf8_lossy(&std::fs::read(path).expect("the output"))),
        Ok(code) => format!("(code {code})"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_installed_bpftrace_prints_what_is_written_down() {
    if !may_trace() {
        return;
    }
    let version = match Command::new("bpftrace").arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => {
            println!("SKIP: bpftrace: {error}");
            return;
        }
    };
    if !version.contains(&format!("v{VERSION}.")) {
        println!("SKIP: what is written down is of bpftrace {VERSION}; this is {}", version.trim());
        return;
    }
    let cases = all();
    let parts = cases.chunks(cases.len().div_ceil(AT_ONCE));
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = parts.map(|part| scope.spawn(move || differences(part))).collect();
        running.into_iter().map(|part| part.join().expect("a part ends")).collect()
    });
    assert!(wrong.iter().all(String::is_empty), "{}", wrong.concat());
}

fn differences(cases: &[Case]) -> String {
    let mut wrong = String::new();
    for case in cases {
        let (expected, found) = (case.expected_of_bpftrace(), theirs(&case.script));
        if found != expected {
            wrong += &format!("== {}\n{}\nexpected\n{expected}\nfound\n{found}\n", case.name, case.script);
        }
    }
    wrong
}

fn theirs(source: &str) -> String {
    let output = Command::new("bpftrace").args(["-q", "-e", source]).output().expect("bpftrace starts");
    if !output.status.success() {
        return "(refused)".to_owned();
    }
    let text = String::from_utf8_lossy(&output.stdout);
    // This version counts its probes on the same stream, and leaves a blank behind the name of a histogram.
    let lines = text.lines().filter(|line| !line.starts_with("Attaching "));
    let lines: Vec<&str> = lines
        .map(|line| line.strip_suffix(' ').filter(|name| name.starts_with('@') && name.ends_with(':')).unwrap_or(line))
        .collect();
    end(&lines.join("\n"))
}
