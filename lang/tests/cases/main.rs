//! Cases as text: scripts and what the compiler makes of them, each a test of its own.
//!
//! A file holds cases, each a line `== its name`, the script, a line `--`, and what is expected. The folder says what is asked:
//! `findings` for the diagnostics as a terminal shows them, `outline` for what a compiled script attaches, keeps and sends,
//! `format` for the formatted script, `older` for the diagnostics where the kernel can do nothing beyond the oldest one
//! supported. `BLESS=1 cargo test -p bpfleet-lang --test cases` writes what comes out as what is
//! expected, to be read before it is committed.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "cases are files")]

mod outline;
mod target;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lang::target::{Features, Target};
use libtest_mimic::{Arguments, Failed, Trial};

/// One script and what is expected of it.
struct Case {
    name: String,
    script: String,
    expected: String,
}

type Answer = fn(&str) -> String;

const FOLDERS: [(&str, Answer); 4] =
    [("findings", findings), ("format", formatted), ("older", findings_of_the_oldest), ("outline", outlined)];

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let bless = std::env::var_os("BLESS").is_some();
    let mut trials = vec![];
    for (folder, answer) in FOLDERS {
        for path in files(&root.join(folder)) {
            let text = std::fs::read_to_string(&path).expect("a case file can be read");
            let mut cases = split(&text);
            if bless {
                cases.iter_mut().for_each(|case| case.expected = answer(&case.script));
                std::fs::write(&path, join(&cases)).expect("a case file can be written");
            }
            let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            for case in cases {
                let name = format!("{folder}/{file}: {}", case.name);
                trials.push(Trial::test(name, move || compare(&answer(&case.script), &case.expected)));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder of cases is there");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn split(text: &str) -> Vec<Case> {
    let text = format!("\n{text}");
    text.split("\n== ")
        .skip(1)
        .map(|section| {
            let (name, rest) = section.split_once('\n').expect("a case has a script");
            let (script, expected) = rest.split_once("\n--").expect("a case has a line '--'");
            let expected = expected.trim_matches('\n');
            let expected = if expected.is_empty() { String::new() } else { format!("{expected}\n") };
            Case { name: name.to_owned(), script: script.to_owned(), expected }
        })
        .collect()
}

fn join(cases: &[Case]) -> String {
    let sections: Vec<String> =
        cases.iter().map(|case| format!("== {}\n{}\n--\n{}", case.name, case.script, case.expected)).collect();
    sections.join("\n")
}

fn compare(found: &str, expected: &str) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("expected\n{expected}\nfound\n{found}").into()) }
}

fn options() -> lang::Options {
    lang::Options { args: vec!["7".to_owned(), "text".to_owned()], ..lang::Options::default() }
}

fn findings(script: &str) -> String {
    findings_on(&target::target(), script)
}

fn findings_of_the_oldest(script: &str) -> String {
    findings_on(&Target { features: Features::default(), ..target::target() }, script)
}

fn findings_on(target: &Target, script: &str) -> String {
    let findings = match lang::parse(script) {
        Ok(tree) => match lang::compile(script, &tree, target, &options()) {
            Ok(compiled) => compiled.warnings,
            Err(findings) => findings,
        },
        Err(findings) => findings,
    };
    lang::render::terminal("case", script, &findings)
}

fn outlined(script: &str) -> String {
    let compiled = lang::parse(script).and_then(|tree| lang::compile(script, &tree, &target::target(), &options()));
    match compiled {
        Ok(compiled) => outline::outline(&compiled),
        Err(findings) => lang::render::terminal("case", script, &findings),
    }
}

fn formatted(script: &str) -> String {
    lang::print::format(script).unwrap_or_else(|findings| lang::render::terminal("case", script, &findings))
}
