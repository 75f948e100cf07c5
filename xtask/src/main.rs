//! The workspace's own chores, run as `cargo xtask NAME`: structure checks, generated files, test tiers, the virtual
//! machine of the kernel tier, the test control plane and the comparison with bpftrace. This file only names the
//! subcommands; each module owns one of them and says what it needs.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

mod bench;
mod control_plane;
mod debian;
mod image;
mod marked;
mod packages;
mod program;
mod release;
mod repo;
mod suites;
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
    /// Run the tests, in tiers: unit, kernel, cluster, vm.
    Test(suites::TestArgs),
    /// Write the files that are made from the code: resource definitions and tables in the documents.
    Generate {
        /// Write nothing; fail when a file is not as it would be written.
        #[arg(long)]
        check: bool,
    },
    /// Make a static binary and the Dockerfile of its image.
    Image,
    /// Boot Debian's kernels in qemu and run the kernel suite in them.
    Vm(vm::VmArgs),
    /// Measure bpfleet against the installed bpftrace and print a table.
    Bench(bench::BenchArgs),
}

fn main() -> ExitCode {
    match run(Cli::parse().chore) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<ExitCode> {
    match chore {
        Chore::Tidy => tidy::run(),
        Chore::Test(args) => return Ok(suites::run(&args)),
        Chore::Generate { check } => generate(check),
        Chore::Image => image::run().map(drop),
        Chore::Bench(args) => bench::run(&args),
        Chore::Vm(args) => vm::run(&args)?.check(),
        Chore::ControlPlane(args) => control_plane::run(&args).map(drop),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the program of its own that knows the crates whose contents are written down.
fn generate(check: bool) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repo::root()).args(["run", "--quiet", "--locked", "--package=xtask"]);
    cargo.args(["--features=generate", "--bin=xtask-generate", "--"]);
    if check {
        cargo.arg("--check");
    }
    let status = cargo.status().context("cannot start cargo")?;
    ensure!(status.success(), "generated files are not as they should be");
    Ok(())
}
