//! `bpfleet run`: one script on this machine alone, as bpftrace does it.

mod args;
pub mod list;
mod pid;

use std::process::ExitCode;

use agent::run::{Buffering, Format, RunError, RunOptions, Stage};

pub use args::Args;
use args::Task;

use crate::source::{Source, SourceError};

/// Asks for a line on standard output once everything is attached; whoever starts a script and then a workload waits for it.
const NOTIFY: &str = "__BPFTRACE_NOTIFY_PROBES_ATTACHED";

/// Does what the command line says; the exit code is the script's. With `codes` what is wrong with
/// a script is told with its code.
pub fn run(args: Args, codes: bool) -> anyhow::Result<ExitCode> {
    match invoke(args, codes) {
        Ok(code) => Ok(code),
        Err(Failure::Usage(problem)) => {
            eprintln!("ERROR: USAGE: {problem}");
            Ok(ExitCode::FAILURE)
        }
        Err(Failure::Said(problem)) => {
            eprintln!("ERROR: {problem}");
            Ok(ExitCode::FAILURE)
        }
        Err(Failure::Other(error)) => Err(error),
    }
}

/// Why a command line is not carried out.
pub enum Failure {
    /// The flags are wrong.
    Usage(String),
    /// What they name is wrong.
    Said(String),
    /// Anything else.
    Other(anyhow::Error),
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Absent => Failure::Usage("filename or -e 'program' required.".to_owned()),
            other => Failure::Said(other.to_string()),
        }
    }
}

fn invoke(args: Args, codes: bool) -> Result<ExitCode, Failure> {
    if args.info {
        print!("{}", agent::info::report(&crate::bpftrace::version()));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(problem) = args.conflict() {
        return Err(Failure::Usage(problem));
    }
    let task = args.task().map_err(Failure::Usage)?;
    let pid = args.pid.as_deref().map(pid::parse).transpose().map_err(Failure::Said)?;
    let followed =
        args.dwarf_pid.iter().map(|text| pid::parse(text)).collect::<Result<_, _>>().map_err(Failure::Said)?;
    if args.list {
        return list::run(&args, pid);
    }
    let format = match args.format.as_str() {
        "text" => Format::Text,
        "json" => Format::Json,
        "folded" => Format::Folded,
        other => {
            let valid = "Valid formats: 'text', 'json', 'folded'";
            return Err(Failure::Said(format!("Invalid output format \"{other}\"\n{valid}")));
        }
    };
    let (named, mut plain): (Vec<String>, Vec<String>) =
        args.words.iter().cloned().partition(|word| word.starts_with("--"));
    let file = (args.program.is_none() && !plain.is_empty()).then(|| plain.remove(0));
    let source = Source::read(args.program.clone(), file)?;
    if task == Task::Format {
        return super::fmt::print(&source, args.output.as_deref()).map_err(Failure::Other);
    }
    let options = RunOptions {
        name: source.name,
        source: source.text,
        compile: lang::Options {
            args: plain,
            named: named.iter().map(|word| named_argument(word)).collect(),
            settings: settings_of_environment(),
            unsafe_allowed: args.unsafe_allowed,
            files_allowed: true,
            pid,
            child: None,
            helper_errors: args.warnings > 0,
            trials: match task {
                Task::Test => Some(lang::options::Trials::Tests),
                Task::Bench => Some(lang::options::Trials::Benches),
                _ => None,
            },
            probe_filter: args.probe_filter,
            debug_folders: args.debuginfo,
            traceable_functions: args.traceable_functions,
        },
        include_directories: args.include_directories,
        format,
        show: stages(&args.debug)?,
        output: args.output,
        followed,
        command: args.cmd,
        buffering: if args.buffering.as_deref() == Some("full") { Buffering::Full } else { Buffering::Prompt },
        duration: args.duration,
        quiet: args.quiet,
        verbose: args.verbose,
        no_warnings: args.no_warnings,
        codes,
        dry_run: args.dry_run,
        attached_marker: std::env::var_os(NOTIFY).map(|_| NOTIFY.to_owned()),
    };
    let done = match task {
        Task::Compile => agent::run::compile(&options).map(|_| 0),
        _ => agent::run::run(&options),
    };
    Ok(match done {
        Ok(code) => ExitCode::from(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
        Err(error) => {
            eprint!("{error}");
            if !matches!(error, RunError::Script(_) | RunError::Arguments(_)) {
                explain_missing();
            }
            ExitCode::FAILURE
        }
    })
}

/// The stages of `-d`.
fn stages(names: &[String]) -> Result<Vec<Stage>, Failure> {
    let mut stages = Vec::new();
    for name in names {
        match name.as_str() {
            "ast" => stages.push(Stage::Script),
            "hir" => stages.push(Stage::Meaning),
            "ir" => stages.push(Stage::LowLevel),
            "dis" => stages.push(Stage::Instructions),
            "all" => stages.extend([Stage::Script, Stage::Meaning, Stage::LowLevel, Stage::Instructions]),
            _ => {
                return Err(Failure::Usage(format!(
                    "invalid option for -d: {name}; it takes ast, hir, ir, dis or all"
                )));
            }
        }
    }
    Ok(stages)
}

/// What this process lacks is the likeliest reason for a kernel's refusal.
fn explain_missing() {
    for missing in agent::preflight::missing() {
        eprintln!("ERROR: {missing}\nhelp: {}", missing.remedy());
    }
}

/// `--name=value`, `--name`; the dashes may be left out.
fn named_argument(word: &str) -> (String, Option<String>) {
    let word = word.trim_start_matches('-');
    match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (word.to_owned(), None),
    }
}

/// bpftrace's settings come from `BPFTRACE_*` too, and win over the script's. What else is called so is not for us.
fn settings_of_environment() -> Vec<(String, String)> {
    let is_key = |name: &str| lang::config::KEYS.iter().any(|key| key.name == name.to_ascii_lowercase());
    std::env::vars().filter(|(key, _)| key.strip_prefix("BPFTRACE_").is_some_and(is_key)).collect()
}

/// A number with a unit: `500ms`, `30s`, `5m`, `1h`.
pub fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    std::time::Duration::try_from(span).map_err(|_| "a duration is not negative".to_owned())
}
