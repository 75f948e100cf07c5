//! The guest's side: the files it finds, the init script that runs every case, and the report it writes to its second
//! serial line, which this module also reads back.
//!
//! The report of one case, where every text ends with a line break:
//!
//! ```text
//! @@case NAME
//! @@stdout
//! ...
//! @@stderr
//! ...
//! @@end STATUS LEFT_ATTACHED
//! ```
//! After the last one `@@node` and what the tracer says of the kernel, then `@@done`.

use anyhow::{Context, Result, ensure};

use super::cases::Case;
use super::initramfs::GuestFile;
use crate::tracer::Tracer;

const INIT: &str = include_str!("init.sh");
const SUITE: &str = include_str!("suite.sh");

/// Seconds that bpftrace may need, under emulation, from announcing its probes to having attached them.
const LATE: u32 = 10;

/// What one case left behind.
#[derive(Debug, PartialEq, Eq)]
pub struct CaseRun {
    pub name: String,
    pub stdout: String,
    pub stderr: String,
    /// Of the tracer; above 128 it died of signal `status - 128`.
    pub status: i32,
    /// Functions of the kernel that were still probed when the tracer was gone.
    pub left_attached: usize,
}

/// The files that make the guest run `cases` and power off.
pub fn files(cases: &[&Case], tracer: &Tracer) -> Vec<GuestFile> {
    let mut files = vec![
        init(SUITE),
        script("settle", &format!("sleep {}", if tracer.announces_late { 0 } else { LATE })),
        script("trace", &format!("exec /tracer {} \"$(cat \"$1\")\" $(eval echo $2)", tracer.arguments.join(" "))),
    ];
    if tracer.announces_late {
        files.push(script("node-report", "exec /tracer check --node-report"));
    }
    for (number, case) in cases.iter().enumerate() {
        let stem = format!("cases/{number:03}-{}", case.name);
        files.push(GuestFile { path: format!("{stem}.bt"), content: case.script.clone().into() });
        for (extension, text) in [("before", &case.before), ("arguments", &case.arguments), ("sh", &case.workload)] {
            files.push(GuestFile { path: format!("{stem}.{extension}"), content: text.clone().into() });
        }
    }
    files
}

/// The first process: what every guest starts with, then `rest`, which has to turn it off.
pub fn init(rest: &str) -> GuestFile {
    GuestFile { path: "init".to_owned(), content: format!("{INIT}{rest}").into() }
}

fn script(path: &str, command: &str) -> GuestFile {
    GuestFile { path: path.to_owned(), content: format!("#!/bin/sh\n{command}\n").into() }
}

/// What a guest reported.
#[derive(Debug, Default)]
pub struct Report {
    pub runs: Vec<CaseRun>,
    /// What the tracer says of the kernel; empty for one that cannot.
    pub node: String,
}

/// Reads the guest's report.
///
/// # Errors
/// When the report has no end: the guest stopped half-way.
pub fn parse(report: &str) -> Result<Report> {
    let (mut runs, mut node) = (Vec::new(), String::new());
    let mut lines = report.lines();
    loop {
        let line = lines.next().context("the guest's report breaks off")?;
        if line == "@@done" {
            return Ok(Report { runs, node });
        }
        if line == "@@node" {
            node = take_until(&mut lines, "@@done")?.0;
            return Ok(Report { runs, node });
        }
        if let Some(name) = line.strip_prefix("@@case ") {
            runs.push(parse_case(name, &mut lines).with_context(|| format!("the report of {name} breaks off"))?);
        }
    }
}

fn parse_case<'a>(name: &str, lines: &mut impl Iterator<Item = &'a str>) -> Result<CaseRun> {
    let start = lines.next().context("no output")?;
    ensure!(start == "@@stdout", "unexpected `{start}`");
    let stdout = take_until(lines, "@@stderr")?.0;
    let (stderr, end) = take_until(lines, "@@end ")?;
    let mut numbers = end.split_whitespace();
    let mut number = || numbers.next().and_then(|word| word.parse::<i32>().ok()).context("no exit status");
    let (status, left) = (number()?, number()?);
    Ok(CaseRun { name: name.to_owned(), stdout, stderr, status, left_attached: usize::try_from(left)? })
}

/// The lines before the one that starts with `mark`, and the rest of that one.
fn take_until<'a>(lines: &mut impl Iterator<Item = &'a str>, mark: &str) -> Result<(String, &'a str)> {
    let mut text = String::new();
    for line in lines {
        if let Some(rest) = line.strip_prefix(mark) {
            return Ok((text, rest));
        }
        text.push_str(line);
        text.push('\n');
    }
    anyhow::bail!("no {mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_back_case_by_case() {
        let report = "@@case a\n@@stdout\n@: 3\n\n@@stderr\n@@end 0 0\n@@case b\n@@stdout\n@@stderr\nno\n@@end 1 2\n@@node\nkprobe yes\n@@done\n";
        let Report { runs, node } = parse(report).unwrap();
        assert_eq!(node, "kprobe yes\n");
        assert_eq!(runs.len(), 2);
        assert_eq!((runs[0].stdout.as_str(), runs[0].status), ("@: 3\n\n", 0));
        assert_eq!((runs[1].stderr.as_str(), runs[1].status, runs[1].left_attached), ("no\n", 1, 2));
    }

    #[test]
    fn a_report_without_its_end_is_an_error() {
        assert!(parse("@@case a\n@@stdout\n@: 3\n").is_err());
        assert!(parse("@@case a\n@@stdout\n@@stderr\n@@end 0 0\n").is_err());
    }
}
