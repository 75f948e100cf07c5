//! `bpfleet demo`: an operator and three agents on this machine, two TraceJobs, one merged answer.
//!
//! Everything is the real thing: the jobs come from a folder of manifests through the operator's index, go to the agents over TLS, run as BPF
//! in this machine's kernel, and come back as reports. Only the cluster is missing.

mod fleet;
mod show;
mod workload;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use fleet::Fleet;
use workload::Workload;

use super::service;

/// Run an operator and three agents on this machine, and two TraceJobs through them
#[derive(clap::Args)]
pub struct Args {}

/// What a shell reports for a process that SIGINT ended.
const INTERRUPTED: u8 = 128 + 2;
/// How often the progress is looked at.
const GLANCE: Duration = Duration::from_millis(200);
/// The jobs take five seconds; nothing good takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the demo to its end, or until it is asked to end.
pub fn run(Args {}: Args) -> anyhow::Result<ExitCode> {
    let missing = agent::preflight::missing();
    if !missing.is_empty() {
        eprintln!("ERROR: this demo traces the kernel, and something for that is missing");
        missing.iter().for_each(|missing| eprintln!("  {missing}\n    help: {}", missing.remedy()));
        return Ok(ExitCode::FAILURE);
    }
    service::log("warn");
    service::runtime()?.block_on(async {
        let shutdown = service::shutdown()?;
        tokio::select! {
            () = shutdown => {
                eprintln!("interrupted; everything is detached");
                Ok(ExitCode::from(INTERRUPTED))
            }
            shown = play() => shown,
        }
    })
}

async fn play() -> anyhow::Result<ExitCode> {
    let workload = Workload::start().context("cannot start the workload")?;
    let fleet = Fleet::start().await?;
    println!("operator: https://{}   metrics: http://{}/metrics", fleet.operator.agents, fleet.operator.public);
    println!(
        "agents:   {}   workload: threads that read from /dev/zero",
        fleet::NODES.map(|(node, _)| node).join(", ")
    );
    let finished = tokio::time::timeout(PATIENCE, watch(&fleet)).await;
    drop(workload);
    if finished.is_err() {
        anyhow::bail!("the jobs did not end within {} s", PATIENCE.as_secs());
    }
    let mut whole = true;
    for name in fleet::JOBS.map(|(name, _)| name) {
        let outcome = fleet.operator.results(fleet::NAMESPACE, name).await;
        let outcome = outcome.with_context(|| format!("{name} left no result"))?;
        whole &= show::outcome(name, &outcome);
    }
    println!(
        "All three agents watch this machine's one kernel, so each event is counted three times.\n\
         While the demo ran, the same numbers were at http://{}/metrics",
        fleet.operator.public
    );
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows how the jobs come along until all have ended.
async fn watch(fleet: &Fleet) {
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
    bar.enable_steady_tick(GLANCE);
    let mut last = String::new();
    loop {
        let statuses = fleet.operator.statuses();
        let line = show::progress(fleet.operator.connected_agents(), &statuses);
        if line != last {
            bar.set_message(line.clone());
            // Without a terminal the bar stays silent; a line at each change tells as much.
            if bar.is_hidden() {
                println!("{line}");
            }
            last = line;
        }
        if statuses.len() == fleet::JOBS.len() && statuses.iter().all(|(_, status)| status.phase.is_final()) {
            bar.finish_and_clear();
            return;
        }
        tokio::time::sleep(GLANCE).await;
    }
}
