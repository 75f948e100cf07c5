//! `cargo xtask bench`: bpfleet against the installed bpftrace, in one run on one machine, as a Markdown table of
//! medians with the bars they are held to. It reports and never fails for being slow: a busy machine is no defect.
//!
//! Every round measures both tracers, and the workload without any, one right after the other and in alternating order,
//! so that whatever else the machine does hits all of them. [`measure`] runs processes, [`rows`] says what is compared,
//! [`table`] turns the samples into text. Probes that not every machine's kernel has are compared in an emulated one, by [`emulated`].

mod emulated;
mod measure;
mod rows;
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::tracer::Tracer;
use crate::{packages, release};
use measure::Workload;
use rows::{Cost, EVENT_ROWS, EventRow, STARTUP_ROWS};
use table::Line;

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub struct BenchArgs {
    /// The binary to measure instead of a fresh release build.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// The bpftrace to compare with instead of the installed one.
    #[arg(long, value_name = "PATH")]
    reference: Option<PathBuf>,
    /// Rounds; the table shows their medians.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(5..))]
    rounds: u32,
    /// Compare probes of the kernel's functions instead, in an emulated machine with Debian's kernel of this series; cost is told in
    /// instructions there.
    #[arg(long, value_name = "SERIES")]
    vm: Option<String>,
    /// Put the table into docs/performance.md.
    #[arg(long)]
    write: bool,
}

/// The two tracers that are compared.
struct Pair {
    ours: Tracer,
    reference: Tracer,
}

/// Measures every row and prints the table. Needs root, for both tracers load programs.
///
/// # Errors
/// When a tracer cannot be had or fails, or did not see the events whose cost is measured.
pub fn run(args: &BenchArgs) -> Result<()> {
    ensure!(args.vm.is_some() || rustix::process::geteuid().is_root(), "tracers need root");
    let reference = match &args.reference {
        Some(path) => path.clone(),
        None => {
            packages::ensure(&[packages::BPFTRACE])?;
            packages::find(packages::BPFTRACE.name).context("bpftrace is not in PATH")?
        }
    };
    let ours = match &args.bin {
        Some(path) => path.clone(),
        None => release::binary()?,
    };
    let pair = Pair { ours: Tracer::new(&ours), reference: Tracer::new(&reference) };
    let (part, lines, setting) = match &args.vm {
        Some(series) => {
            let (kernel, lines) = emulated::measure(&pair, series)?;
            (table::EMULATED, lines, table::Setting::emulated(&pair, series, &kernel)?)
        }
        None => {
            let mut lines = measure_startup(&pair, args.rounds)?;
            lines.extend(measure_events(&pair, args.rounds)?);
            (table::HERE, lines, table::Setting::of(&pair, args.rounds)?)
        }
    };
    let text = table::render(&lines, &setting);
    println!("{text}");
    if args.write {
        table::write(part, &text)?;
    }
    Ok(())
}

fn measure_startup(pair: &Pair, rounds: u32) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for row in &STARTUP_ROWS {
        let mut ours = Vec::new();
        let mut reference = Vec::new();
        // One run of each beforehand, so that neither reads its files from the disk in the first round.
        if row.rounds > 1 {
            measure::whole_run(&pair.ours, row.script)?;
            measure::whole_run(&pair.reference, row.script)?;
        }
        for round in 0..rounds.min(row.rounds) {
            if round % 2 == 0 {
                ours.push(measure::whole_run(&pair.ours, row.script)?);
                reference.push(measure::whole_run(&pair.reference, row.script)?);
            } else {
                reference.push(measure::whole_run(&pair.reference, row.script)?);
                ours.push(measure::whole_run(&pair.ours, row.script)?);
            }
        }
        eprintln!("measured {}", row.title);
        lines.extend(table::startup_lines(row, &ours, &reference));
    }
    Ok(lines)
}

/// Nanoseconds without what is measured: of the whole workload, or of a program that does nothing, which is what taking the time of
/// a program costs.
fn bare(pair: &Pair, row: &EventRow, workload: &Workload) -> Result<f64> {
    match row.cost {
        Cost::Added { .. } => Ok(workload.run()?.as_secs_f64() * 1e9),
        Cost::Program { idle } => measure::charged(&pair.ours, idle, workload),
    }
}

fn measure_events(pair: &Pair, rounds: u32) -> Result<Vec<Line>> {
    let workload = Workload::calibrated()?;
    let mut lines = Vec::new();
    for row in &EVENT_ROWS {
        let mut ours = Vec::new();
        let mut reference = Vec::new();
        for round in 0..rounds {
            let bare = bare(pair, row, &workload)?;
            let cost = |tracer, samples: &mut Vec<f64>| -> Result<()> {
                samples.push(match row.cost {
                    Cost::Added { per_block, counts } => {
                        let events = per_block * workload.blocks();
                        let least = if counts { events } else { 0.0 };
                        let traced = measure::traced(tracer, row.script, &workload, least)?;
                        (traced.as_secs_f64() * 1e9 - bare) / events
                    }
                    Cost::Program { .. } => measure::charged(tracer, row.script, &workload)? - bare,
                });
                Ok(())
            };
            if round % 2 == 0 {
                cost(&pair.ours, &mut ours)?;
                cost(&pair.reference, &mut reference)?;
            } else {
                cost(&pair.reference, &mut reference)?;
                cost(&pair.ours, &mut ours)?;
            }
        }
        eprintln!("measured {}", row.title);
        lines.push(table::event_line(row, &ours, &reference));
    }
    Ok(lines)
}
