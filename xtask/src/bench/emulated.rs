//! What probes of the kernel's functions cost, in an emulated machine: not every machine's kernel has them.
//!
//! Times of an emulated machine would say more of the emulator than of the tracers. So its clock counts the instructions that it carries
//! out: how many an event costs is the same in every run, and can be compared though an instruction is no measure of time.
//!
//! The guest reports lines of `@@bare COUNT` and `@@took ROW TRACER COUNT EVENTS`, then `@@done`.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::Pair;
use super::table::{self, Line};
use crate::tracer::Tracer;
use crate::vm;

const SCRIPT: &str = include_str!("emulated.sh");

/// Each block is one call of `vfs_read`.
const BLOCKS: u32 = 200_000;
/// More than one shows that the figures do not depend on the run.
const ROUNDS: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(1800);

/// What is compared; `kfunc` is what bpftrace 0.17 knows `fentry` by.
const ROWS: [(&str, &str); 4] = [
    ("kprobe", "kprobe:vfs_read { @ = count(); }"),
    ("kretprobe", "kretprobe:vfs_read { @ = count(); }"),
    ("kfunc", "kfunc:vfs_read { @ = count(); }"),
    ("kretfunc", "kretfunc:vfs_read { @ = count(); }"),
];

/// Measures every row with a kernel of this series: its version, and the lines of the table.
///
/// # Errors
/// When the guest cannot be had or fails, or a tracer did not see the events whose cost is measured.
pub fn measure(pair: &Pair, series: &str) -> Result<(String, Vec<Line>)> {
    let start = |tracer: &Tracer, path: &str| format!("#!/bin/sh\nexec {path} {} \"$1\"\n", tracer.arguments.join(" "));
    let reference = pair.reference.path.display().to_string();
    let mut files = vec![
        ("ours".to_owned(), start(&pair.ours, "/tracer")),
        ("reference".to_owned(), start(&pair.reference, &reference)),
    ];
    files.extend(ROWS.iter().map(|(name, script)| (format!("rows/{name}"), (*script).to_owned())));
    let (kernel, told) = vm::measure(vm::Measured {
        series,
        binary: &pair.ours.path,
        copied: std::slice::from_ref(&pair.reference.path),
        script: &format!("BLOCKS={BLOCKS}\nROUNDS={ROUNDS}\n{SCRIPT}"),
        files,
        timeout: TIMEOUT,
    })?;
    let samples = Samples::parse(&told)?;
    let line = |(name, script): &(&str, &str)| -> Result<Line> {
        let (ours, reference) = (samples.of(name, "ours")?, samples.of(name, "reference")?);
        Ok(table::cost_line(&format!("`{script}`"), "instructions", &ours, &reference))
    };
    Ok((kernel, ROWS.iter().map(line).collect::<Result<_>>()?))
}

/// What the guest counted.
#[derive(Debug, Default)]
struct Samples {
    /// Instructions of the workload alone, in each round.
    bare: Vec<f64>,
    /// Row, tracer, instructions of the traced workload.
    traced: Vec<(String, String, f64)>,
}

impl Samples {
    fn parse(told: &str) -> Result<Self> {
        ensure!(told.lines().any(|line| line == "@@done"), "the guest's report breaks off:\n{told}");
        let mut samples = Self::default();
        for line in told.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["@@bare", count] => samples.bare.push(count.parse()?),
                ["@@took", row, tracer, count, events] => {
                    ensure!(events.parse::<u32>()? >= BLOCKS, "{tracer} saw {events} of {BLOCKS} events of {row}");
                    samples.traced.push(((*row).to_owned(), (*tracer).to_owned(), count.parse()?));
                }
                ["@@took" | "@@failed", ..] => bail!("{line}\n{told}"),
                _ => {}
            }
        }
        Ok(samples)
    }

    /// What an event of a row costs with a tracer, in each round.
    fn of(&self, row: &str, tracer: &str) -> Result<Vec<f64>> {
        let taken = self.traced.iter().filter(|(known, by, _)| known == row && by == tracer);
        let costs: Vec<f64> =
            taken.zip(&self.bare).map(|((_, _, count), bare)| (count - bare) / f64::from(BLOCKS)).collect();
        (!costs.is_empty()).then_some(costs).with_context(|| format!("the guest tells nothing of {row} with {tracer}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_workload_takes_by_itself_is_subtracted() {
        let told =
            "@@bare 1000000\n@@took kprobe ours 21000000 200003\n@@took kprobe reference 61000000 200007\n@@done\n";
        let samples = Samples::parse(told).unwrap();
        assert_eq!(samples.of("kprobe", "ours").unwrap(), [100.0]);
        assert_eq!(samples.of("kprobe", "reference").unwrap(), [300.0]);
        assert!(samples.of("kfunc", "ours").is_err());
    }

    #[test]
    fn a_tracer_that_missed_events_is_an_error() {
        assert!(Samples::parse("@@bare 1\n@@took kprobe ours 2 199999\n@@done\n").is_err());
        assert!(Samples::parse("@@bare 1\n@@took kprobe ours 2\n@@done\n").is_err());
        assert!(Samples::parse("@@bare 1\n").is_err());
    }
}
