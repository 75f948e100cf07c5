//! `bpfleet probes`: what scripts can attach to here.

use std::process::ExitCode;

use agent::probes::{Listing, list};

use crate::command::run::list::print;

/// List the probes of this machine
#[derive(clap::Args)]
pub struct Args {
    /// Which ones, with `*` and `?`: tracepoint:syscalls:sys_enter_*
    #[arg(default_value = "")]
    pattern: String,
    /// With their arguments
    #[arg(short, long)]
    verbose: bool,
}

/// Prints one probe a line; fails where none matches.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let lines = list(&args.pattern, &Listing { verbose: args.verbose, ..Listing::default() })?;
    if lines.is_empty() {
        eprintln!("No probes match {}", args.pattern);
        return Ok(ExitCode::FAILURE);
    }
    print(&lines)?;
    Ok(ExitCode::SUCCESS)
}
