//! `cargo xtask vm`: boots one of Debian's kernels in qemu with our binary and runs the kernel suite in it, because the
//! probes it needs (kprobe, fentry) are not in every machine's own kernel.
//!
//! in: a kernel series and a binary; out: one line per case on standard output and an error when one failed. The parts:
//! [`kernel`] fetches and keeps kernels, [`initramfs`] packs the guest's files, [`guest`] writes its init script and
//! reads back what it reports, [`cases`] says what to run and [`expect`] what must come out, [`emulator`] finds a qemu
//! and [`boot`] runs it.

mod boot;
mod cases;
mod emulator;
mod expect;
mod guest;
mod initramfs;
mod kernel;
mod table;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::tracer::Tracer;
use crate::{packages, release};
use emulator::Emulator;
use guest::CaseRun;

/// The kernel of the Debian release that the project is developed on.
const DEFAULT_KERNEL: &str = "6.1";
const DEFAULT_TIMEOUT: u64 = 300;

/// Arguments of `cargo xtask vm`.
#[derive(clap::Args)]
pub struct VmArgs {
    /// Kernel series to boot; may be given several times.
    #[arg(long = "kernel", value_name = "SERIES", default_value = DEFAULT_KERNEL)]
    kernels: Vec<String>,
    /// The binary to test instead of a fresh release build. One that is called `bpftrace` is given bpftrace's arguments:
    /// the reference implementation must pass the same cases.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Run only the cases whose names contain this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Look for a newer kernel package even when one of the series is at hand.
    #[arg(long)]
    refresh: bool,
    /// Seconds after which a guest that has not finished is killed.
    #[arg(long, default_value_t = DEFAULT_TIMEOUT)]
    timeout: u64,
    /// Write docs/kernels.md from what the tracer says of each kernel.
    #[arg(long)]
    table: bool,
    /// Keep the guest's files and print where they are.
    #[arg(long)]
    keep: bool,
}

impl Default for VmArgs {
    /// What the command does without arguments.
    fn default() -> Self {
        let kernels = vec![DEFAULT_KERNEL.to_owned()];
        Self {
            kernels,
            bin: None,
            filter: String::new(),
            refresh: false,
            timeout: DEFAULT_TIMEOUT,
            table: false,
            keep: false,
        }
    }
}

/// How many cases of the suite ended how.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
}

impl Tally {
    /// An error when a case failed.
    pub fn check(self) -> Result<()> {
        if self.failed > 0 {
            bail!("{} of {} cases failed", self.failed, self.passed + self.failed);
        }
        Ok(())
    }
}

/// Runs the suite on every kernel asked for and prints one line per case. Needs `apt-get` for what is missing, no
/// privileges otherwise, and neither KVM nor a network once the kernel is in the cache.
///
/// # Errors
/// When something needed cannot be had, or a guest does not come to its end. Failed cases are in the tally.
pub fn run(args: &VmArgs) -> Result<Tally> {
    packages::ensure(&[packages::QEMU, packages::BUSYBOX])?;
    let binary = match &args.bin {
        Some(binary) => binary.clone(),
        None => release::binary()?,
    };
    let emulator = Emulator::obtain()?;
    let mut tally = Tally::default();
    let mut columns = Vec::new();
    for series in &args.kernels {
        let kernel = kernel::obtain(series, args.refresh)?;
        let (outcome, node) =
            run_on(&emulator, &kernel, &binary, args).with_context(|| format!("kernel {}", kernel.version))?;
        columns.push(table::Column::parse(&kernel.version, &node));
        tally.passed += outcome.passed;
        tally.failed += outcome.failed;
    }
    if args.table {
        table::write(&columns)?;
    }
    Ok(tally)
}

fn run_on(emulator: &Emulator, kernel: &kernel::Kernel, binary: &Path, args: &VmArgs) -> Result<(Tally, String)> {
    let cases: Vec<&cases::Case> = cases::CASES.iter().filter(|case| case.name.contains(&args.filter)).collect();
    if cases.is_empty() {
        bail!("no case is called *{}*", args.filter);
    }
    let started = Instant::now();
    let folder = tempfile::Builder::new().prefix("bpfleet-vm-").tempdir()?;
    let initrd = folder.path().join("initrd");
    initramfs::pack(&initrd, binary, &guest::files(&cases, &Tracer::new(binary)))?;
    let transcript = boot::run(emulator, &kernel.image, &initrd, folder.path(), Duration::from_secs(args.timeout));
    if args.keep {
        println!("guest files: {}", folder.keep().display());
    }
    let guest::Report { runs, node } = guest::parse(&transcript?)?;
    let mut tally = Tally::default();
    for case in cases {
        let run =
            runs.iter().find(|run| run.name == case.name).with_context(|| format!("{} did not run", case.name))?;
        if report(&kernel.version, case, run) { tally.passed += 1 } else { tally.failed += 1 }
    }
    println!(
        "vm {}: {} passed, {} failed in {} s",
        kernel.version,
        tally.passed,
        tally.failed,
        started.elapsed().as_secs()
    );
    Ok((tally, node))
}

/// Prints how a case ended, with everything the guest said when it ended badly; whether it passed.
fn report(version: &str, case: &cases::Case, run: &CaseRun) -> bool {
    let mut wrong: Vec<String> =
        case.expected.iter().filter_map(|expected| expected.check(&run.stdout).err()).collect();
    if run.status != 0 {
        wrong.push(format!("the tracer ended with status {}", run.status));
    }
    if run.left_attached != 0 {
        wrong.push(format!("{} kprobes were left attached", run.left_attached));
    }
    if wrong.is_empty() {
        println!("PASS vm {version} {}", case.name);
        return true;
    }
    println!("FAIL vm {version} {}", case.name);
    for line in wrong {
        println!("  {line}");
    }
    println!("  script: {}", case.script);
    for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        for line in text.lines().filter(|line| !line.is_empty()) {
            println!("  {stream}: {line}");
        }
    }
    false
}
