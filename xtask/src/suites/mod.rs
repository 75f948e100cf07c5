//! `cargo xtask test`: every test of the repository, in tiers that need more and more of the machine. Each tier installs
//! or builds what it needs first; a tier that this machine cannot run is skipped with the reason.
//!
//! [`tiers`] says which test targets belong to which tier, [`runner`] runs them with nextest or plain cargo and reads
//! back how they ended.

mod runner;
mod tiers;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::{control_plane, packages, release, vm};
use runner::Outcome;
use tiers::Tier;

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub struct TestArgs {
    /// Only this tier; may be given several times.
    #[arg(long = "tier", value_enum)]
    tiers: Vec<Tier>,
}

/// A tier that was run, or why it was not.
enum Run {
    Done(Outcome),
    Skipped(String),
}

/// Runs the tiers, prints how each went, and ends with a line `N passed, N failed, N skipped`. Fails when a test failed or
/// a tier could not be set up, after all of them were run.
pub fn run(args: &TestArgs) -> ExitCode {
    let chosen = if args.tiers.is_empty() { Tier::ALL.to_vec() } else { args.tiers.clone() };
    let mut total = Outcome::default();
    let mut summary = Vec::new();
    for tier in chosen {
        println!("== {tier}");
        let start = Instant::now();
        let run = run_tier(tier).unwrap_or_else(|error| {
            println!("error: {error:#}");
            Run::Done(Outcome { failed: 1, ..Outcome::default() })
        });
        let seconds = start.elapsed().as_secs();
        match run {
            Run::Done(outcome) => {
                summary.push(format!("{tier}: {outcome} in {seconds} s"));
                summary.extend(outcome.skips.iter().map(|reason| format!("{tier}: skipped: {reason}")));
                total.add(outcome);
            }
            Run::Skipped(reason) => {
                summary.push(format!("{tier}: not run: {reason}"));
                total.skipped += 1;
            }
        }
    }
    println!("== summary");
    for line in summary {
        println!("{line}");
    }
    println!("{total}");
    if total.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run_tier(tier: Tier) -> Result<Run> {
    match tier {
        Tier::Unit => Ok(Run::Done(runner::run(&tiers::targets(tier)?, None)?)),
        Tier::Kernel => {
            if !rustix::process::geteuid().is_root() {
                return Ok(Run::Skipped("loading programs into the kernel needs root".to_owned()));
            }
            packages::ensure(&[packages::BPFTOOL, packages::BPFTRACE])?;
            mount_tracefs()?;
            Ok(Run::Done(runner::run(&tiers::targets(tier)?, Some(&release::binary()?))?))
        }
        Tier::Cluster => {
            control_plane::run(&control_plane::ControlPlaneArgs::default())?;
            Ok(Run::Done(runner::run(&tiers::targets(tier)?, Some(&release::binary()?))?))
        }
        Tier::Vm => {
            let tally = vm::run(&vm::VmArgs::default())?;
            Ok(Run::Done(Outcome { passed: tally.passed, failed: tally.failed, ..Outcome::default() }))
        }
    }
}

/// Tracepoint formats are read from there; a container or a minimal system does not mount it by itself.
fn mount_tracefs() -> Result<()> {
    let tracing = Path::new("/sys/kernel/tracing");
    if tracing.join("events").is_dir() {
        return Ok(());
    }
    crate::program::finish(std::process::Command::new("mount").args(["-t", "tracefs", "none"]).arg(tracing))
        .context("tracefs cannot be mounted")
}
