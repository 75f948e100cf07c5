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
//! and `@@done` after the last one.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::cases::Case;
use super::initramfs::GuestFile;

const INIT: &str = include_str!("init.sh");

/// How the binary under test takes a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracer {
    /// `bpfleet run -e SCRIPT`
    Bpfleet,
    /// `bpftrace -e SCRIPT`
    Bpftrace,
}

impl Tracer {
    /// Decides by the file's name.
    pub fn of(binary: &Path) -> Self {
        if binary.file_name().is_some_and(|name| name == "bpftrace") { Self::Bpftrace } else { Self::Bpfleet }
    }

    fn command(self) -> &'static str {
        match self {
            Self::Bpfleet => "/tracer run -e",
            Self::Bpftrace => "/tracer -e",
        }
    }

    /// Seconds between the announcement of the probes and the last one being attached: bpftrace announces them first,
    /// which under emulation is long before.
    fn settle(self) -> u32 {
        match self {
            Self::Bpfleet => 0,
            Self::Bpftrace => 10,
        }
    }
}

/// What one case left behind.
#[derive(Debug, PartialEq, Eq)]
pub struct CaseRun {
    pub name: String,
    pub stdout: String,
    pub stderr: String,
    /// Of the tracer; above 128 it died of signal `status - 128`.
    pub status: i32,
    /// Kprobes still in the kernel when the tracer was gone.
    pub left_attached: usize,
}

/// The files that make the guest run `cases` and power off.
pub fn files(cases: &[&Case], tracer: Tracer) -> Vec<GuestFile> {
    let mut files = vec![
        GuestFile { path: "init".to_owned(), text: INIT.to_owned() },
        GuestFile { path: "settle".to_owned(), text: format!("#!/bin/sh\nsleep {}\n", tracer.settle()) },
        GuestFile {
            path: "trace".to_owned(),
            text: format!("#!/bin/sh\nexec {} \"$(cat \"$1\")\"\n", tracer.command()),
        },
    ];
    for (number, case) in cases.iter().enumerate() {
        let stem = format!("cases/{number:03}-{}", case.name);
        files.push(GuestFile { path: format!("{stem}.bt"), text: case.script.to_owned() });
        files.push(GuestFile { path: format!("{stem}.sh"), text: format!("{}\n", case.workload) });
    }
    files
}

/// Reads the guest's report.
///
/// # Errors
/// When the report has no end: the guest stopped half-way.
pub fn parse(report: &str) -> Result<Vec<CaseRun>> {
    let mut runs = Vec::new();
    let mut lines = report.lines();
    loop {
        let line = lines.next().context("the guest's report breaks off")?;
        if line == "@@done" {
            return Ok(runs);
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
        let report =
            "@@case a\n@@stdout\n@: 3\n\n@@stderr\n@@end 0 0\n@@case b\n@@stdout\n@@stderr\nno\n@@end 1 2\n@@done\n";
        let runs = parse(report).unwrap();
        assert_eq!(runs.len(), 2);
        assert_eq!((runs[0].stdout.as_str(), runs[0].status), ("@: 3\n\n", 0));
        assert_eq!((runs[1].stderr.as_str(), runs[1].status, runs[1].left_attached), ("no\n", 1, 2));
    }

    #[test]
    fn a_report_without_its_end_is_an_error() {
        assert!(parse("@@case a\n@@stdout\n@: 3\n").is_err());
        assert!(parse("@@case a\n@@stdout\n@@stderr\n@@end 0 0\n").is_err());
    }

    #[test]
    fn bpftrace_is_known_by_its_name() {
        assert_eq!(Tracer::of(Path::new("/usr/bin/bpftrace")), Tracer::Bpftrace);
        assert_eq!(Tracer::of(Path::new("target/release/bpfleet")), Tracer::Bpfleet);
    }
}
