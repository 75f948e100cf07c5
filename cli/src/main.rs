//! The `bpfleet` command: reads the command line and hands over to the crate that does the work.
//!
//! One file for each subcommand in [`command`]; started under the name `bpftrace` it behaves as that, see [`bpftrace`]. `run` and `check` must start in a few milliseconds, so nothing is set up here that
//! they do not need.

mod bpftrace;
mod command;
mod source;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// One bpftrace script, run on many Kubernetes nodes at once, giving back one merged answer
#[derive(Parser)]
#[command(name = "bpfleet", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(command::run::Args),
    Check(command::check::Args),
    Fmt(command::fmt::Args),
    Probes(command::probes::Args),
    Demo(command::demo::Args),
    Agent(command::agent::Args),
    Operator(command::operator::Args),
}

fn main() -> ExitCode {
    let result = match bpftrace::is_name(std::env::args_os().next().as_ref()) {
        true => bpftrace::main(),
        false => run(Cli::parse().command),
    };
    result.unwrap_or_else(|error| {
        eprintln!("ERROR: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(args) => command::run::run(args, true),
        Command::Check(args) => command::check::run(args),
        Command::Fmt(args) => command::fmt::run(args),
        Command::Probes(args) => command::probes::run(args),
        Command::Demo(args) => command::demo::run(args),
        Command::Agent(args) => command::agent::run(args),
        Command::Operator(args) => command::operator::run(args),
    }
}
