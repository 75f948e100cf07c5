//! The kernel suite: scripts, workloads whose reads are counted beforehand, and the exact result. One file for each case in `cases/`; its
//! first lines, comments of the language, say how to run it and what must come out:
//!
//! ```text
//! // workload: a shell command; several run one after the other. Without any, the script runs for a second.
//! // before: a shell command that runs before the tracer starts
//! // arguments: the script's own, as a shell would read them
//! // from: the oldest kernel series that can run it
//! // example: the file below examples/ that holds the script
//! // spellings: args        it runs once more with `args->x` for `args.x`
//! // line: an exact line of the output    (and all else that `expect` knows)
//! ```
//!
//! The workloads are busybox `dd` runs: each block is one `vfs_read` and one `vfs_write` (busybox `cat` uses sendfile
//! instead). A case that is not restricted to `dd` looks only at read sizes that nothing else in the guest uses. What a
//! program does by itself is counted of `/shop` (see `shop.c`).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::expect::Expect;
use crate::repo;

/// One case of the suite.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// A word, unique among the cases; also a file name in the guest.
    pub name: String,
    /// Ended by SIGINT when the workload is done.
    pub script: String,
    /// Shell words.
    pub arguments: String,
    /// Shell commands.
    pub before: String,
    /// Shell commands.
    pub workload: String,
    pub expected: Vec<Expect>,
    /// Of the oldest kernel.
    from: Vec<u64>,
}

impl Case {
    /// Whether a kernel of this series can run it.
    pub fn runs_on(&self, series: &str) -> bool {
        version(series) >= self.from
    }
}

/// The suite.
///
/// # Errors
/// When a file is not a case.
pub fn suite() -> Result<Vec<Case>> {
    read(&repo::root().join("xtask/src/vm/cases"))
}

/// The scripts of a folder, as cases: those that say nothing of themselves run for a second and expect nothing.
///
/// # Errors
/// When the folder cannot be read or a file says something unknown.
pub fn read(folder: &Path) -> Result<Vec<Case>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "bt"));
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(&path)?;
        cases.extend(parse(&name, &text).with_context(|| path.display().to_string())?);
    }
    Ok(cases)
}

/// One case, or two where the script is to run in two spellings.
fn parse(name: &str, text: &str) -> Result<Vec<Case>> {
    let mut case = Case { name: name.to_owned(), script: text.to_owned(), ..Case::default() };
    let mut spellings = false;
    for line in text.lines() {
        let Some((word, value)) = line.strip_prefix("// ").and_then(|line| line.split_once(": ")) else { break };
        let value = value.trim();
        match word {
            "workload" => push_line(&mut case.workload, value),
            "before" => push_line(&mut case.before, value),
            "arguments" => value.clone_into(&mut case.arguments),
            "from" => case.from = version(value),
            "example" => case.script = fs::read_to_string(repo::root().join("examples").join(value))?,
            "spellings" => {
                ensure!(value == "args", "`{value}` has no other spelling");
                spellings = true;
            }
            // A script of somebody else's may begin with any comment.
            _ => match Expect::parse(word, value) {
                Some(expect) => case.expected.push(expect),
                None if case.workload.is_empty() && case.expected.is_empty() => break,
                None => bail!("cannot understand `{line}`"),
            },
        }
    }
    if case.workload.is_empty() {
        push_line(&mut case.workload, "sleep 1");
    }
    let mut cases = vec![case];
    if spellings {
        let mut other = cases[0].clone();
        other.name.push_str("-by-arrow");
        other.script = match other.script.contains("args->") {
            true => other.script.replace("args->", "args."),
            false => other.script.replace("args.", "args->"),
        };
        ensure!(other.script != cases[0].script, "nothing in it is spelt `args`");
        cases.push(other);
    }
    Ok(cases)
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn version(series: &str) -> Vec<u64> {
    series.split('.').filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_the_suite_has_a_file_name_of_its_own_and_expects_something() {
        let cases = suite().unwrap();
        assert!(cases.len() > 20);
        for (index, case) in cases.iter().enumerate() {
            assert!(case.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", case.name);
            assert!(cases[index + 1..].iter().all(|other| other.name != case.name), "{}", case.name);
            assert!(!case.expected.is_empty(), "{}", case.name);
        }
    }

    #[test]
    fn every_example_that_needs_kprobes_is_a_case() {
        let cases = suite().unwrap();
        for path in repo::files(&repo::root().join("examples")).unwrap() {
            let script = fs::read_to_string(repo::root().join("examples").join(&path)).unwrap();
            let needs = path.extension().is_some_and(|extension| extension == "bt")
                && script.lines().any(|line| line.starts_with("kprobe:") || line.starts_with("kretprobe:"));
            assert!(!needs || cases.iter().any(|case| case.script == script), "{}", path.display());
        }
    }

    #[test]
    fn a_case_says_how_to_run_it() {
        let text = "// from: 5.17\n// spellings: args\n// before: a\n// workload: b\n// workload: c\n// line: @: 1\nBEGIN { print(args.x); }\n";
        let cases = parse("name", text).unwrap();
        let [case, other] = cases.as_slice() else { panic!("{cases:?}") };
        assert_eq!((case.before.as_str(), case.workload.as_str()), ("a\n", "b\nc\n"));
        assert!(case.runs_on("6.1") && case.runs_on("5.17") && !case.runs_on("5.10"));
        assert!(other.script.contains("print(args->x)"), "{}", other.script);
        assert!(parse("name", "// workload: true\n// lines: @: 1\n").is_err());
    }

    #[test]
    fn a_script_that_says_nothing_runs_for_a_second() {
        let cases = parse("name", "// name: what it does\n// line: here\nBEGIN { }\n").unwrap();
        assert_eq!(cases[0].workload, "sleep 1\n");
        assert!(cases[0].expected.is_empty());
    }
}
