//! Runs tracers and the workload as processes and reads what the kernel says they used.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use wait4::{ResUse, Wait4};

use crate::tracer::Tracer;

/// What one whole run of a tracer used.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// Peak resident memory in bytes. A process inherits the peak of the one that started it, so this is never below
    /// what xtask itself takes.
    pub memory: u64,
}

/// Longest wait for a tracer to attach or to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time between two interrupts.
const INTERRUPTS: Duration = Duration::from_secs(1);
/// A tracer that hardly ran for this long has attached everything and waits for events.
const QUIET: Duration = Duration::from_millis(120);
/// How long one run of the workload should take.
const WORKLOAD: Duration = Duration::from_millis(500);

/// Runs a script that ends by itself.
pub fn whole_run(tracer: &Tracer, script: &str) -> Result<Usage> {
    let start = Instant::now();
    let child = Command::new(&tracer.path)
        .args(tracer.arguments)
        .arg(script)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", tracer.path.display()))?;
    let used = child.wait4()?;
    let wall = start.elapsed();
    ensure!(used.status.success(), "{} ended with {} on `{script}`", tracer.path.display(), used.status);
    Ok(Usage { wall, cpu: used.rusage.utime + used.rusage.stime, memory: used.rusage.maxrss })
}

/// A `dd` of single bytes, pinned to one processor: each byte is one read and one write.
pub struct Workload {
    blocks: u64,
    processor: usize,
}

impl Workload {
    /// As many blocks as this machine copies in [`WORKLOAD`], on its last processor.
    pub fn calibrated() -> Result<Self> {
        let processors = std::thread::available_parallelism()?.get();
        let probe = Self { blocks: 200_000, processor: processors - 1 };
        probe.run()?;
        let pace = probe.run()?.as_secs_f64() / 200_000.0;
        ensure!(pace > 0.0, "the workload took no time");
        Ok(Self { blocks: (WORKLOAD.as_secs_f64() / pace) as u64, ..probe })
    }

    /// Blocks of one run: as many reads, and as many writes, not counting the few that start and end the process.
    pub fn blocks(&self) -> f64 {
        self.blocks as f64
    }

    /// Processor time of one run: unlike its duration it does not grow when others want the processor too.
    pub fn run(&self) -> Result<Duration> {
        let used = Command::new("taskset")
            .args(["-c", &self.processor.to_string(), "dd", "if=/dev/zero", "of=/dev/null", "bs=1", "status=none"])
            .arg(format!("count={}", self.blocks))
            .stdin(Stdio::null())
            .spawn()
            .context("cannot start taskset")?
            .wait4()?;
        ensure!(used.status.success(), "dd ended with {}", used.status);
        Ok(used.rusage.utime + used.rusage.stime)
    }
}

/// Processor time of the workload while the tracer runs a script.
///
/// # Errors
/// Also when the tracer's maps show that it did not see `least` events: the figure would mean nothing.
pub fn traced(tracer: &Tracer, script: &str, workload: &Workload, least: f64) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    let running = Running::start(tracer, script, folder.path())?;
    let used = workload.run()?;
    let output = running.stop()?;
    let seen = counted(&output) as f64;
    if seen < least {
        bail!("{} saw {seen} of {least} events of `{script}`", tracer.path.display());
    }
    Ok(used)
}

/// Nanoseconds that the kernel charges the script's programs for one run, while the workload runs. Kernel 5.1.
pub fn charged(tracer: &Tracer, script: &str, workload: &Workload) -> Result<f64> {
    const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";
    let folder = tempfile::tempdir()?;
    let running = Running::start(tracer, script, folder.path())?;
    let before = fs::read_to_string(SWITCH).with_context(|| format!("cannot read {SWITCH}"))?;
    fs::write(SWITCH, "1").with_context(|| format!("cannot write {SWITCH}"))?;
    let ran = workload.run();
    let charged = running.charged();
    fs::write(SWITCH, before.trim())?;
    ran?;
    let (nanoseconds, runs) = charged?;
    running.stop()?;
    ensure!(runs > 0, "{} ran nothing of `{script}`", tracer.path.display());
    Ok(nanoseconds as f64 / runs as f64)
}

/// A tracer at work; killed when it is dropped before it was stopped.
struct Running<'a> {
    tracer: &'a Tracer,
    child: Option<Child>,
    folder: &'a Path,
}

impl<'a> Running<'a> {
    /// Starts the tracer and returns when its probes are attached.
    fn start(tracer: &'a Tracer, script: &str, folder: &'a Path) -> Result<Self> {
        let child = Command::new(&tracer.path)
            .args(tracer.arguments)
            .arg(script)
            .stdin(Stdio::null())
            .stdout(File::create(folder.join("stdout"))?)
            .stderr(File::create(folder.join("stderr"))?)
            .spawn()
            .with_context(|| format!("cannot start {}", tracer.path.display()))?;
        let process = child.id();
        let mut running = Self { tracer, child: Some(child), folder };
        let deadline = Instant::now() + PATIENCE;
        while !running.announced()? {
            if let Some(child) = &mut running.child
                && let Some(ended) = child.try_wait()?
            {
                bail!("{} ended with {ended}: {}", tracer.path.display(), running.said("stderr")?.trim());
            }
            ensure!(Instant::now() < deadline, "{} attached nothing", tracer.path.display());
            sleep(Duration::from_millis(10));
        }
        wait_until_quiet(process, deadline)?;
        Ok(running)
    }

    /// Whether the line `Attach(ed|ing) N probes` was printed, to wherever this tracer prints it.
    fn announced(&self) -> Result<bool> {
        let announces = |text: String| text.lines().any(|line| line.starts_with("Attach"));
        Ok(announces(self.said("stdout")?) || announces(self.said("stderr")?))
    }

    fn said(&self, stream: &str) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(self.folder.join(stream))?).into_owned())
    }

    /// What all of its programs were charged so far: nanoseconds, and runs.
    fn charged(&self) -> Result<(u64, u64)> {
        let process = self.child.as_ref().context("stopped already")?.id();
        let mut sum = (0, 0);
        for entry in fs::read_dir(format!("/proc/{process}/fdinfo"))? {
            // A descriptor may be closed meanwhile.
            let text = fs::read_to_string(entry?.path()).unwrap_or_default();
            let number = |name| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
            if let (Some(nanoseconds), Some(runs)) = (number("run_time_ns:"), number("run_cnt:")) {
                sum = (sum.0 + nanoseconds, sum.1 + runs);
            }
        }
        Ok(sum)
    }

    /// Ends the tracer as Ctrl-C would and returns what it printed. bpftrace 0.17 now and then misses an interrupt, so it gets
    /// another one each second.
    fn stop(mut self) -> Result<String> {
        let mut child = self.child.take().context("stopped twice")?;
        let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        let deadline = Instant::now() + PATIENCE;
        let mut next = Instant::now();
        let used: ResUse = loop {
            if let Some(used) = child.try_wait4()? {
                break used;
            }
            if Instant::now() >= next {
                kill_process(process, Signal::INT)?;
                next += INTERRUPTS;
            }
            if Instant::now() >= deadline {
                child.kill()?;
                let path = self.tracer.path.display();
                bail!("{path} did not end within {} s of its interrupt", PATIENCE.as_secs());
            }
            sleep(Duration::from_millis(5));
        };
        let path = self.tracer.path.display();
        ensure!(used.status.success(), "{path} ended with {}: {}", used.status, self.said("stderr")?.trim());
        self.said("stdout")
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Nothing to be done about either: the run has failed already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits for a stretch of [`QUIET`] in which the process hardly ran: bpftrace looks around every 100 ms.
fn wait_until_quiet(process: u32, deadline: Instant) -> Result<()> {
    loop {
        let before = processor_time(process)?;
        sleep(QUIET);
        if processor_time(process)?.saturating_sub(before) < QUIET / 50 {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "a tracer that should wait for events is busy");
    }
}

/// How long the process was on a processor: the nanoseconds that are the first number of `schedstat` (Linux, CONFIG_SCHED_INFO).
fn processor_time(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/schedstat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    nanoseconds.map(Duration::from_nanos).with_context(|| format!("{path} is not as known"))
}

/// The sum of all counts in a tracer's maps: of `KEY: N` lines and of histogram rows.
fn counted(output: &str) -> u64 {
    let count = |line: &str| match line.split_once('|') {
        Some((row, _)) => row.split_whitespace().next_back()?.parse().ok(),
        None => line.rsplit_once(": ")?.1.trim().parse().ok(),
    };
    output.lines().filter_map(count).fold(0, |sum: u64, count: u64| sum.saturating_add(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_scalars_keys_stacks_and_histograms_add_up() {
        let output = "Attaching 1 probe...\n\n@: 5\n@[dd]: 7\n@[\n    do_syscall_64+93\n    entry+1\n]: 11\n\
                      @h: \n[0]                   13 |@@@@    |\n[1K, 2K)              17 |@@@@    |\n";
        assert_eq!(counted(output), 5 + 7 + 11 + 13 + 17);
    }

    #[test]
    fn a_whole_run_is_charged_for_what_it_used() {
        let tracer = Tracer { path: "/bin/sh".into(), arguments: &["-c"], announces_late: true };
        let used = whole_run(&tracer, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done").unwrap();
        assert!(used.cpu > Duration::ZERO && used.wall >= used.cpu / 2, "{used:?}");
        assert!(used.memory > 100 << 10, "{used:?}");
        assert!(whole_run(&tracer, "exit 3").is_err());
    }

    #[test]
    fn a_tracer_that_fails_to_attach_is_an_error_with_its_words() {
        let tracer = Tracer { path: "/bin/sh".into(), arguments: &["-c"], announces_late: true };
        let folder = tempfile::tempdir().unwrap();
        let failed = Running::start(&tracer, "echo no such probe >&2; exit 1", folder.path());
        assert!(failed.err().unwrap().to_string().ends_with("no such probe"));
    }

    #[test]
    fn a_tracer_is_stopped_by_an_interrupt_and_its_output_kept() {
        let tracer = Tracer { path: "/bin/sh".into(), arguments: &["-c"], announces_late: true };
        let folder = tempfile::tempdir().unwrap();
        let script = "trap 'echo @: 3; exit 0' INT; echo Attached 1 probe >&2; while :; do sleep 0.2 & wait; done";
        let running = Running::start(&tracer, script, folder.path()).unwrap();
        assert_eq!(running.stop().unwrap(), "@: 3\n");
    }
}
