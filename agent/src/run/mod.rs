//! One script on this machine, from its text to its last map: what `bpfleet run` does.
//!
//! Compiles for this node, runs a session until the script, a signal or the time box ends it, and prints as bpftrace does: what
//! the script prints on standard output, everything else on standard error. Parsing the command line is the cli's.

mod command;
mod header;
mod import;
mod print;
mod trial;
mod watch;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lang::compiled::Compiled;
use lang::diagnostic::Diagnostic;
use lang::import::Sources;
use lang::parameters::Problem;
use report::snapshot::Snapshot;

use crate::session::{Polled, Session, SessionError, SessionOptions};
use crate::sys::child::pidfd;
use crate::sys::signals::Signals;
use crate::target;

pub use print::Format;
use print::Printer;
use watch::{Happened, Process, Watch};

/// What to run, and how.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// What messages call the script: `stdin`, a file's name.
    pub name: String,
    /// The script's text.
    pub source: String,
    /// How it is compiled: arguments, settings, process.
    pub compile: lang::Options,
    /// Directories in which the script's headers are looked for first.
    pub include_directories: Vec<PathBuf>,
    /// How output is printed.
    pub format: Format,
    /// Where output goes instead of standard output.
    pub output: Option<PathBuf>,
    /// Processes whose stacks are followed by tables from the start on, beside the one the script is limited to.
    pub followed: Vec<u32>,
    /// A command to run while the script runs; user probes are limited to it, and its end ends the script.
    pub command: Option<String>,
    /// When output is handed to the system.
    pub buffering: Buffering,
    /// The time box.
    pub duration: Option<Duration>,
    /// Whether nothing but output and errors is printed.
    pub quiet: bool,
    /// Whether the programs and where they attach are told, and all of what the kernel says of one it refuses.
    pub verbose: bool,
    /// Whether warnings are left out.
    pub no_warnings: bool,
    /// Whether what is wrong with a script is told with its code, by which it can be looked up.
    pub codes: bool,
    /// What of the way from text to instructions is shown on standard output.
    pub show: Vec<Stage>,
    /// Whether to stop once everything is attached.
    pub dry_run: bool,
    /// A line printed to standard output once everything is attached, for whoever waits for that.
    pub attached_marker: Option<String>,
}

/// A stage on the way from text to instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The script as it was understood, in its canonical layout.
    Script,
    /// Its meaning: names resolved, expressions typed.
    Meaning,
    /// The low-level form, pass by pass.
    LowLevel,
    /// The instructions of each program.
    Instructions,
}

/// When output is handed to the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Buffering {
    /// Whenever there is nothing more to print for now.
    #[default]
    Prompt,
    /// When a buffer is full, and at the end.
    Full,
}

/// Why a script did not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The script is wrong; the text is the rendered diagnostics.
    #[error("{0}")]
    Script(String),
    /// The script has no such named arguments, or not with such values.
    #[error("{}{}HINT: {}\n", if .0.error.is_empty() { "" } else { "ERROR: " }, line(&.0.error), .0.hint)]
    Arguments(Problem),
    /// The node cannot be described.
    #[error("ERROR: {0}\n")]
    Target(#[from] target::TargetError),
    /// The kernel did not take it, or the session broke off; the text says where and why.
    #[error("{0}")]
    Session(String),
    /// Output cannot be written, or signals not be received.
    #[error("ERROR: {what}: {error}\n")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: io::Error,
    },
}

/// A line of its own, unless there is nothing to say.
fn line(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

/// What a shell reports for a process that wrote to a closed pipe.
const BROKEN_PIPE: i32 = 128 + libc::SIGPIPE;

/// What the end looks like where maps are not printed.
static NO_MAPS: Snapshot = Snapshot { maps: BTreeMap::new() };

/// How long a session sleeps when nothing happens; a signal or an event wakes it before.
const NAP: Duration = Duration::from_secs(1);

/// Runs a script to its end and returns its exit code. The error's text is for standard error as it is.
pub fn run(options: &RunOptions) -> Result<i32, RunError> {
    let io = |what: &str| {
        let what = what.to_owned();
        move |error| RunError::Io { what, error }
    };
    let wanted = [libc::SIGINT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];
    let signals = Signals::collect(&wanted).map_err(io("signals"))?;
    let process = process(options)?;
    let pid = match &process {
        Some(Process::Own(child)) => Some(child.id()),
        _ => options.compile.pid,
    };
    let own = matches!(process, Some(Process::Own(_)));
    let mut watch = Watch::new(signals, process).map_err(io("signals"))?;
    let mut options = options.clone();
    options.compile.child = pid.filter(|_| own);
    let options = &options;
    let (compiled, sources) = compile_all(options)?;
    let mut printer = printer(options, &sources)?;
    match drive(options, compiled, pid, &mut watch, &mut printer) {
        Err(SessionError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(BROKEN_PIPE),
        Err(error) => {
            let codes = options.codes || options.verbose;
            Err(RunError::Session(error.render_by(options.verbose, |found| sources.render(found, codes))))
        }
        Ok(code) => Ok(code),
    }
}

/// The process whose end ends the script.
fn process(options: &RunOptions) -> Result<Option<Process>, RunError> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error| RunError::Io { what, error }
    };
    match (&options.command, options.compile.pid) {
        (Some(command), _) => {
            command::fork(command).map(|child| Some(Process::Own(child))).map_err(failed("Failed to fork child"))
        }
        (None, Some(pid)) => pidfd(pid).map(|fd| Some(Process::Other(fd))).map_err(failed("Failed to attach to pid")),
        (None, None) => Ok(None),
    }
}

/// Compiles a script for this node, and prints its warnings.
pub fn compile(options: &RunOptions) -> Result<Compiled, RunError> {
    compile_all(options).map(|(compiled, _)| compiled)
}

/// The same with what it imports, and the text of it all.
fn compile_all(options: &RunOptions) -> Result<(Compiled, Sources), RunError> {
    let mut sources = Sources::new(&options.name, &options.source);
    let script = import::read(&options.name, &mut sources).map_err(|found| refused(options, &sources, found))?;
    let wrong = |found: Vec<Diagnostic>| refused(options, &sources, found);
    if let Some(missing) = header::missing(&script, sources.text(), &options.include_directories) {
        return Err(RunError::Script(missing));
    }
    if let Some(problem) = lang::parameters::problem(&script, &options.compile) {
        return Err(RunError::Arguments(problem));
    }
    let target = target::gather(&lang::needs::needs_with(&script, &options.compile))?;
    let compiled = lang::compile(sources.text(), &script, &target, &options.compile).map_err(wrong)?;
    if !(options.quiet || options.no_warnings || compiled.warnings.is_empty()) {
        eprint!("{}", sources.render(&compiled.warnings, options.codes));
    }
    if options.show.contains(&Stage::Script) {
        println!("{}", lang::print::print(&script));
    }
    if options.show.iter().any(|stage| matches!(stage, Stage::Meaning | Stage::LowLevel)) {
        let stages = lang::dump::stages(sources.text(), &script, &target, &options.compile).map_err(wrong)?;
        for stage in &options.show {
            match stage {
                Stage::Meaning => println!("{}", stages.hir),
                Stage::LowLevel => println!("{}", stages.ir),
                Stage::Script | Stage::Instructions => {}
            }
        }
    }
    if options.show.contains(&Stage::Instructions) {
        for program in &compiled.programs {
            println!("{}:\n{}", program.name, ::bpf::disasm::disassemble(&program.insns));
        }
    }
    Ok((compiled, sources))
}

/// What is wrong with a script, in words.
fn refused(options: &RunOptions, sources: &Sources, mut found: Vec<Diagnostic>) -> RunError {
    // They are about no part of the script: programs that read messages look for them alone on their lines.
    let whole = found.extract_if(.., |finding| !options.codes && matches!(finding.code, "E0409" | "E0419"));
    let whole: String = whole
        .map(|finding| match finding.code {
            "E0409" => finding.message + "\n",
            _ => format!("ERROR: {}\n", finding.message),
        })
        .collect();
    RunError::Script(sources.render(&found, options.codes) + &whole)
}

fn printer(options: &RunOptions, sources: &Sources) -> Result<Printer, RunError> {
    let to: Box<dyn Write> = match &options.output {
        Some(path) => {
            Box::new(File::create(path).map_err(|error| RunError::Io { what: path.display().to_string(), error })?)
        }
        None => Box::new(io::stdout()),
    };
    Ok(Printer::new(options, sources.clone(), to))
}

/// Starts the command, if there is one. Where its stacks are followed, everything is ready for that when its own code begins.
fn start_process(session: &mut Session, watch: &mut Watch) -> Result<(), SessionError> {
    let failed = |error| SessionError::Kernel { what: "Failed to run child", error };
    if !session.follows_stacks() {
        return watch.start_process().map_err(failed);
    }
    let mut followed = Ok(());
    watch.start_process_watched(|pid| followed = session.follow(pid)).map_err(failed)?;
    followed
}

/// Runs the session; the printer is flushed whenever there is nothing more to print, unless it is to wait.
fn drive(
    options: &RunOptions,
    compiled: Compiled,
    pid: Option<u32>,
    watch: &mut Watch,
    printer: &mut Printer,
) -> Result<i32, SessionError> {
    let deadline = options.duration.and_then(|duration| Instant::now().checked_add(duration));
    let named = options.compile.pid.into_iter().chain(options.followed.iter().copied());
    let mut session = Session::start(compiled, SessionOptions { deadline, pid, followed: named.collect() })?;
    if options.verbose {
        for (id, points) in session.programs() {
            eprintln!("Program ID: {id}");
            points.iter().for_each(|point| eprintln!("Attaching {point}"));
        }
    }
    if options.dry_run {
        return Ok(0);
    }
    start_process(&mut session, watch)?;
    if !(options.quiet || options.no_warnings) {
        for skipped in session.skipped() {
            eprintln!("WARNING: {skipped}");
        }
    }
    if let Some(kind) = options.compile.trials {
        session.overhear(printer)?;
        let good = trial::run(&mut session, kind, printer)?;
        session.finish(printer)?;
        printer.flush()?;
        return Ok(i32::from(!good));
    }
    if !options.quiet {
        printer.attached(session.attached_probes())?;
    }
    if let Some(marker) = &options.attached_marker {
        println!("{marker}");
    }
    loop {
        let polled = session.poll(NAP, Some(watch.as_fd()), printer)?;
        if options.buffering == Buffering::Prompt {
            printer.flush()?;
        }
        match (polled, watch.next()) {
            (Polled::Ended(_), _) | (_, Some(Happened::Stop | Happened::ProcessEnded)) => break,
            (Polled::Running | Polled::Interrupted, Some(Happened::User(signal))) => session.signalled(signal)?,
            (Polled::Running | Polled::Interrupted, None) => {}
        }
    }
    let left = session.finish(printer)?;
    printer.maps(if left.print_maps { &left.snapshot } else { &NO_MAPS })?;
    printer.lost(left.lost);
    printer.flush()?;
    Ok(left.reason.exit_code())
}
