//! From samples to a Markdown table, and from there into docs/performance.md.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Pair;
use super::measure::Usage;
use super::rows::{EVENT_BAR, EventRow, STARTUP_BAR, StartupRow};
use crate::marked;
use crate::program::output_of;
use crate::repo;

/// The generated parts of docs/performance.md: what was measured on this machine, and what in an emulated one.
pub const HERE: &str = "bench";
pub const EMULATED: &str = "bench of an emulated machine";
const DOCUMENT: &str = "docs/performance.md";

/// One line of the table.
#[derive(Debug, PartialEq)]
pub struct Line {
    what: String,
    unit: &'static str,
    ours: f64,
    reference: f64,
    /// The most that `ours / reference` may be; nothing where the figure is only shown.
    bar: Option<f64>,
}

/// Where and with what was measured.
pub struct Setting {
    command: String,
    /// What the figures are: `medians of 7 rounds`.
    figures: String,
    versions: String,
    machine: String,
}

impl Setting {
    /// Asks both tracers and the kernel.
    pub fn of(pair: &Pair, rounds: u32) -> Result<Self> {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").context("no kernel release")?;
        let processors = std::thread::available_parallelism()?;
        Ok(Self {
            command: format!("cargo xtask bench --rounds {rounds}"),
            figures: format!("medians of {rounds} rounds"),
            versions: versions(pair)?,
            machine: format!("Linux {}, {processors} processors", kernel.trim()),
        })
    }

    /// Of a measurement with an emulated machine's kernel, of this series and version.
    pub fn emulated(pair: &Pair, series: &str, kernel: &str) -> Result<Self> {
        Ok(Self {
            command: format!("cargo xtask bench --vm {series}"),
            figures: "instructions".to_owned(),
            versions: versions(pair)?,
            machine: format!("Debian's Linux {kernel}, one emulated processor"),
        })
    }
}

fn versions(pair: &Pair) -> Result<String> {
    let version = |path: &std::path::Path| output_of(Command::new(path).arg("--version"));
    Ok(format!("{} and {}", version(&pair.ours.path)?.trim(), version(&pair.reference.path)?.trim()))
}

/// The lines of one startup row: time, processor time, memory.
pub fn startup_lines(row: &StartupRow, ours: &[Usage], reference: &[Usage]) -> Vec<Line> {
    let line = |what: &str, unit, bar, figure: &dyn Fn(&Usage) -> f64| Line {
        what: format!("{}: {what}", row.title),
        unit,
        ours: median(ours.iter().map(figure)),
        reference: median(reference.iter().map(figure)),
        bar,
    };
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    vec![
        line("time from start to end", "ms", Some(STARTUP_BAR), &|usage| milliseconds(usage.wall)),
        line("processor time", "ms", None, &|usage| milliseconds(usage.cpu)),
        line("peak memory", "MB", Some(STARTUP_BAR), &|usage| usage.memory as f64 / 1e6),
    ]
}

/// The line of one event row; the samples are nanoseconds per event.
pub fn event_line(row: &EventRow, ours: &[f64], reference: &[f64]) -> Line {
    cost_line(row.title, "ns", ours, reference)
}

/// The line of what one event costs in such a unit.
pub fn cost_line(title: &str, unit: &'static str, ours: &[f64], reference: &[f64]) -> Line {
    Line {
        what: format!("one event, {title}"),
        unit,
        ours: median(ours.iter().copied()),
        reference: median(reference.iter().copied()),
        bar: Some(EVENT_BAR),
    }
}

/// The middle of the samples, or the mean of the two in the middle; 0 when there are none.
fn median(samples: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = samples.collect();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[half],
        _ => (sorted[half - 1] + sorted[half]) / 2.0,
    }
}

/// The table in Markdown, with a line above it that says how it came about.
pub fn render(lines: &[Line], setting: &Setting) -> String {
    let mut text = format!(
        "`{}`: {}, {} on {}.\n\n\
         | what | bpfleet | bpftrace | ratio | bar | |\n|---|---:|---:|---:|---:|---|\n",
        setting.command, setting.figures, setting.versions, setting.machine
    );
    for line in lines {
        let ratio = line.ours / line.reference;
        let (bar, verdict) = match line.bar {
            Some(bar) => (format!("≤ {bar:.2}"), if ratio <= bar { "PASS" } else { "FAIL" }),
            None => (String::new(), ""),
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {:.1} {unit} | {:.1} {unit} | {ratio:.2} | {bar} | {verdict} |",
            line.what,
            line.ours,
            line.reference,
            unit = line.unit
        );
    }
    text
}

/// Replaces a generated part of docs/performance.md.
pub fn write(part: &str, text: &str) -> Result<()> {
    let path = repo::root().join(DOCUMENT);
    let document = std::fs::read_to_string(&path).with_context(|| format!("cannot read {DOCUMENT}"))?;
    let document = marked::replace(&document, part, text).with_context(|| DOCUMENT.to_owned())?;
    std::fs::write(&path, document).with_context(|| format!("cannot write {DOCUMENT}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_or_between_the_two_in_the_middle() {
        assert_eq!(median([9.0, 1.0, 5.0].into_iter()), 5.0);
        assert_eq!(median([9.0, 1.0, 5.0, 4.0].into_iter()), 4.5);
        assert_eq!(median([].into_iter()), 0.0);
    }

    #[test]
    fn a_line_passes_up_to_its_bar() {
        let line = |ours, bar| Line { what: "x".to_owned(), unit: "ns", ours, reference: 100.0, bar };
        let text = |text: &str| text.to_owned();
        let setting = Setting {
            command: text("bench"),
            figures: text("medians"),
            versions: text("a and b"),
            machine: text("Linux"),
        };
        let text = render(&[line(70.0, Some(0.7)), line(71.0, Some(0.7)), line(500.0, None)], &setting);
        let rows: Vec<&str> = text.lines().skip(4).collect();
        assert_eq!(rows[0], "| x | 70.0 ns | 100.0 ns | 0.70 | ≤ 0.70 | PASS |");
        assert!(rows[1].ends_with("| 0.71 | ≤ 0.70 | FAIL |"));
        assert!(rows[2].ends_with("| 5.00 |  |  |"));
    }
}
