//! `bpfleet probes`: what scripts can attach to here.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

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
    let lines = agent::probes::list(&args.pattern, args.verbose)?;
    if lines.is_empty() {
        eprintln!("No probes match {}", args.pattern);
        return Ok(ExitCode::FAILURE);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for line in lines {
        match writeln!(out, "{line}") {
            // Whoever reads, as `head` does, has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            written => written?,
        }
    }
    Ok(match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => ExitCode::SUCCESS,
    })
}
