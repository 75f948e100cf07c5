//! `cargo xtask vm`: boots one of Debian's kernels in qemu with our binary and runs the kernel suite in it, because the
//! probes it needs (kprobe, fentry) are not in every machine's own kernel.
//!
//! in: kernel series and a binary; out: one line per case on standard output and an error when one failed. The parts:
//! [`kernel`] fetches and keeps kernels, [`initramfs`] packs the guest's files, [`shop`] compiles a program to trace there,
//! [`guest`] writes its init script and reads back what it reports, [`cases`] says what to run and [`expect`] what must come
//! out, [`emulator`] finds a qemu and [`boot`] runs it.

mod boot;
mod cases;
mod emulator;
mod expect;
mod guest;
mod initramfs;
mod kernel;
mod shop;
mod table;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::tracer::Tracer;
use crate::{packages, release};
use boot::{Boot, Clock};
use cases::Case;
use emulator::Emulator;
use guest::CaseRun;
use initramfs::GuestFile;
use kernel::Kernel;

/// The kernels of the Debian release that the project is developed on: its own, and the backported one.
const DEFAULT_KERNELS: [&str; 2] = ["6.1", "6.12"];
const DEFAULT_TIMEOUT: u64 = 600;

/// Arguments of `cargo xtask vm`.
#[derive(clap::Args)]
pub struct VmArgs {
    /// Kernel series to boot, all of them at the same time; may be given several times.
    #[arg(long = "kernel", value_name = "SERIES", default_values = DEFAULT_KERNELS)]
    kernels: Vec<String>,
    /// The binary to test instead of a fresh release build. One that is called `bpftrace` is given bpftrace's arguments:
    /// the reference implementation must pass the same cases.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Run only the cases whose names contain this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Instead of the suite, run each script of this folder for a second, or as its first lines say, and tell which attach.
    #[arg(long, value_name = "DIR")]
    scripts: Option<PathBuf>,
    /// A file of this machine that the guest shall have too, with the libraries it needs; may be given several times.
    #[arg(long = "with", value_name = "PATH")]
    copied: Vec<PathBuf>,
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
        let kernels = DEFAULT_KERNELS.map(str::to_owned).to_vec();
        Self {
            kernels,
            bin: None,
            filter: String::new(),
            scripts: None,
            copied: Vec::new(),
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
    let mut cases = match &args.scripts {
        Some(folder) => cases::read(folder)?,
        None => cases::suite()?,
    };
    cases.retain(|case| case.name.contains(&args.filter));
    ensure!(!cases.is_empty(), "no case is called *{}*", args.filter);
    let kernels: Vec<Kernel> =
        args.kernels.iter().map(|series| kernel::obtain(series, args.refresh)).collect::<Result<_>>()?;
    let machine = &Machine { emulator, binary, cases, args };
    let mut tally = Tally::default();
    let mut columns = Vec::new();
    thread::scope(|scope| {
        // All are started before the first is waited for.
        let guests: Vec<_> = kernels.iter().map(|kernel| scope.spawn(|| machine.run(kernel))).collect();
        for (kernel, guest) in kernels.iter().zip(guests) {
            let outcome = guest.join().unwrap_or_else(|_| bail!("its thread panicked"));
            let outcome = outcome.with_context(|| format!("kernel {}", kernel.version))?;
            print!("{}", outcome.text);
            columns.push(table::Column::parse(&kernel.version, &outcome.node));
            tally.passed += outcome.tally.passed;
            tally.failed += outcome.tally.failed;
        }
        anyhow::Ok(())
    })?;
    if args.table {
        table::write(&columns)?;
    }
    Ok(tally)
}

/// A guest whose clock counts instructions, for measurements.
pub struct Measured<'a> {
    /// The kernel's series.
    pub series: &'a str,
    /// Becomes `/tracer`.
    pub binary: &'a Path,
    /// Files of this machine that keep their paths; with them come the libraries they need.
    pub copied: &'a [PathBuf],
    /// What the guest does, a shell's script; see `init.sh` for what it finds there. It has to turn the guest off.
    pub script: &'a str,
    /// More files, by their paths in the guest.
    pub files: Vec<(String, String)>,
    /// How long it may take, by the machine's clock.
    pub timeout: Duration,
}

/// Boots such a guest: the kernel's version, and what the guest wrote.
///
/// # Errors
/// When something needed cannot be had, or the guest does not come to its end.
pub fn measure(guest: Measured<'_>) -> Result<(String, String)> {
    packages::ensure(&[packages::QEMU, packages::BUSYBOX])?;
    let kernel = kernel::obtain(guest.series, false)?;
    let folder = tempfile::Builder::new().prefix("bpfleet-vm-").tempdir()?;
    let initrd = folder.path().join("initrd");
    let mut files = vec![guest::init(guest.script)];
    files.extend(guest.files.into_iter().map(|(path, text)| GuestFile { path, content: text.into() }));
    initramfs::pack(&initrd, guest.binary, guest.copied, &files)?;
    let emulator = Emulator::obtain()?;
    let boot = Boot {
        emulator: &emulator,
        kernel: &kernel.image,
        initrd: &initrd,
        folder: folder.path(),
        clock: Clock::Instructions,
        timeout: guest.timeout,
    };
    let told = boot.run()?;
    Ok((kernel.version, told))
}

/// What every kernel is run with.
struct Machine<'a> {
    emulator: Emulator,
    binary: PathBuf,
    cases: Vec<Case>,
    args: &'a VmArgs,
}

/// How a kernel did.
#[derive(Default)]
struct Outcome {
    tally: Tally,
    /// A line for each case, more for those that failed.
    text: String,
    /// What the tracer says of the kernel.
    node: String,
}

impl Machine<'_> {
    fn run(&self, kernel: &Kernel) -> Result<Outcome> {
        let started = Instant::now();
        let cases: Vec<&Case> = self.cases.iter().filter(|case| case.runs_on(&kernel.series)).collect();
        let folder = tempfile::Builder::new().prefix("bpfleet-vm-").tempdir()?;
        let initrd = folder.path().join("initrd");
        let mut files = guest::files(&cases, &Tracer::new(&self.binary));
        files.push(shop::build(folder.path())?);
        initramfs::pack(&initrd, &self.binary, &self.args.copied, &files)?;
        let timeout = Duration::from_secs(self.args.timeout);
        let boot = Boot {
            emulator: &self.emulator,
            kernel: &kernel.image,
            initrd: &initrd,
            folder: folder.path(),
            clock: Clock::Machine,
            timeout,
        };
        let transcript = boot.run();
        if self.args.keep {
            println!("guest files: {}", folder.keep().display());
        }
        let guest::Report { runs, node } = guest::parse(&transcript?)?;
        let mut outcome = Outcome { node, ..Outcome::default() };
        for case in cases {
            let run = runs.iter().find(|run| run.name == case.name);
            outcome.add(&kernel.version, case, run.with_context(|| format!("{} did not run", case.name))?);
        }
        let (Tally { passed, failed }, seconds) = (outcome.tally, started.elapsed().as_secs());
        outcome.line(format!("vm {}: {passed} passed, {failed} failed in {seconds} s", kernel.version));
        Ok(outcome)
    }
}

impl Outcome {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// Notes how a case ended, with everything the guest said when it ended badly.
    fn add(&mut self, version: &str, case: &Case, run: &CaseRun) {
        let mut wrong: Vec<String> =
            case.expected.iter().filter_map(|expected| expected.check(&run.stdout).err()).collect();
        if run.status != 0 {
            wrong.push(format!("the tracer ended with status {}", run.status));
        }
        if run.left_attached != 0 {
            wrong.push(format!("{} functions of the kernel were left probed", run.left_attached));
        }
        let announced = run.stdout.lines().chain(run.stderr.lines()).find(|line| line.starts_with("Attach"));
        if wrong.is_empty() {
            self.tally.passed += 1;
            let told = announced.filter(|_| case.expected.is_empty()).map(|line| format!(": {line}"));
            return self.line(format!("PASS vm {version} {}{}", case.name, told.unwrap_or_default()));
        }
        self.tally.failed += 1;
        self.line(format!("FAIL vm {version} {}", case.name));
        let script = case.expected.first().map(|_| format!("script: {}", case.script));
        for line in wrong.into_iter().chain(script) {
            self.line(format!("  {line}"));
        }
        for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            for line in text.lines().filter(|line| !line.is_empty()) {
                self.line(format!("  {stream}: {line}"));
            }
        }
    }
}
