//! The workspace's own chores, run as `cargo xtask NAME`: structure checks, generated files, test tiers, the virtual
//! machine of the kernel tier, the test control plane and the comparison with bpftrace. This file only names the
//! subcommands; each module owns one of them and says what it needs.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod bench;
mod control_plane;
mod debian;
mod marked;
mod packages;
mod program;
mod release;
mod repo;
mod tidy;
mod tracer;
mod vm;

/// Chores of the bpfleet workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check the structure of the repository: dependency arrows, file sizes, module docs, naming.
    Tidy,
    /// Build and cache a real Kubernetes control plane for the cluster tests.
    ControlPlane(control_plane::ControlPlaneArgs),
    /// Boot Debian's kernels in qemu and run the kernel suite in them.
    Vm(vm::VmArgs),
    /// Measure bpfleet against the installed bpftrace and print a table.
    Bench(bench::BenchArgs),
}

fn main() -> ExitCode {
    match run(Cli::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<()> {
    match chore {
        Chore::Tidy => tidy::run(),
        Chore::Bench(args) => bench::run(&args),
        Chore::Vm(args) => vm::run(&args)?.check(),
        Chore::ControlPlane(args) => control_plane::run(&args).map(drop),
    }
}
