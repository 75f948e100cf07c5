//! Runs qemu until the guest powers off. The guest has two serial lines: the first is the kernel's console, kept to
//! explain a guest that dies; the second carries the suite's report and nothing else, so that kernel messages never
//! fall into it. Emulation only (TCG): it works on any machine, and guests hang under KVM on some. Where time is to be measured, the
//! guest's clock counts the instructions it carries out, so that it shows the same in every run, whatever else the machine does.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::emulator::Emulator;

/// How many of the console's last lines an error shows.
const SHOWN_LINES: usize = 25;

/// Bytes of the guest's disk, which is empty.
const DISK_SIZE: u64 = 8 << 20;

/// How often a guest is booted when qemu itself dies: its emulation of many processors is known to stop at an assertion now and then.
const ATTEMPTS: usize = 3;

/// What time is for the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The machine's.
    Machine,
    /// A nanosecond for each instruction, and none while there is nothing to do. Such a guest has one processor.
    Instructions,
}

impl Clock {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Machine => &["-accel", "tcg,thread=multi", "-smp", "2"],
            Self::Instructions => &["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-smp", "1"],
        }
    }
}

/// What a guest is booted with.
pub struct Boot<'a> {
    pub emulator: &'a Emulator,
    pub kernel: &'a Path,
    pub initrd: &'a Path,
    /// Where its disk is, and what it says.
    pub folder: &'a Path,
    pub clock: Clock,
    /// After this it is killed.
    pub timeout: Duration,
}

/// How a guest came to its end.
enum Ended {
    /// By itself, with this report.
    Told(String),
    /// By a signal to the emulator, which had said this.
    Died(String),
}

impl Boot<'_> {
    /// Boots the kernel and returns what the guest wrote to its second serial line.
    ///
    /// # Errors
    /// When qemu fails or the guest is not done in time; the message ends with the console's last lines.
    pub fn run(&self) -> Result<String> {
        fs::File::create(self.folder.join("disk"))?.set_len(DISK_SIZE)?;
        let mut died = String::new();
        for attempt in 1..=ATTEMPTS {
            match self.once()? {
                Ended::Told(report) => return Ok(report),
                Ended::Died(why) => died = why.trim().to_owned(),
            }
            println!("warning: the emulator died, attempt {attempt} of {ATTEMPTS}: {died}");
        }
        bail!("the emulator died {ATTEMPTS} times: {died}")
    }

    fn once(&self) -> Result<Ended> {
        let Self { emulator, kernel, initrd, folder, clock, timeout } = *self;
        let (console, report) = (folder.join("console.log"), folder.join("report.log"));
        let serial = |path: &Path| format!("file:{}", path.display());
        let disk = format!("file={},format=raw,if=none,id=disk", folder.join("disk").display());
        let mut qemu = emulator
            .command()
            .args(clock.arguments())
            .args(["-cpu", "max", "-m", "2048"])
            .args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"])
            .args(["-serial", &serial(&console), "-serial", &serial(&report)])
            .args(["-drive", &disk, "-device", "nvme,serial=1,drive=disk"])
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(initrd)
            .args(["-append", "console=ttyS0 panic=-1 quiet"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("qemu.log"))?)
            .spawn()
            .context("cannot start qemu")?;
        let ended = wait(&mut qemu, timeout);
        let told = |name: &str| String::from_utf8_lossy(&fs::read(folder.join(name)).unwrap_or_default()).into_owned();
        let report = told("report.log").replace('\r', "");
        match ended? {
            Some(status) if status.success() => Ok(Ended::Told(report)),
            Some(status) if status.signal().is_some() => Ok(Ended::Died(told("qemu.log"))),
            Some(status) => bail!("qemu: {status}\n{}{}", told("qemu.log"), tail(&told("console.log"))),
            None => bail!(
                "the guest was not done after {} s; it had reported:\n{}\nand its console said:\n{}",
                timeout.as_secs(),
                tail(&report),
                tail(&told("console.log"))
            ),
        }
    }
}

/// The child's exit status, or nothing when it had to be killed.
fn wait(child: &mut Child, timeout: Duration) -> Result<Option<std::process::ExitStatus>> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(Duration::from_millis(50));
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
