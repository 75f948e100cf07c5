//! `bpfleet run`: one script on this machine alone, as bpftrace does it.

use std::path::PathBuf;
use std::process::ExitCode;

use agent::run::{Format, RunOptions};

use crate::source::Source;

/// Run a script on this machine
#[derive(clap::Args)]
pub struct Args {
    /// The script itself, instead of a file
    #[arg(short = 'e', value_name = "SCRIPT")]
    program: Option<String>,
    /// The script's file (`-` for standard input) unless -e is given, then the script's arguments $1, $2 ...
    #[arg(value_name = "FILE | ARGUMENT")]
    words: Vec<String>,
    /// Named arguments of the script, as --name=value
    #[arg(last = true, value_name = "NAMED")]
    named: Vec<String>,
    /// How output is printed
    #[arg(short, long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Write the script's output to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Count only what this process does
    #[arg(short, long)]
    pid: Option<u32>,
    /// End after this time: 30s, 5m, 1h
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    duration: Option<std::time::Duration>,
    /// Print nothing but the script's output and errors
    #[arg(short, long)]
    quiet: bool,
    /// Leave out warnings
    #[arg(long)]
    no_warnings: bool,
    /// Allow functions that change the system
    #[arg(long = "unsafe")]
    unsafe_allowed: bool,
    /// Compile, and stop before anything is attached
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum OutputFormat {
    /// What a person reads
    #[default]
    Text,
    /// One JSON document a line
    Json,
}

/// Runs the script to its end; the exit code is the script's.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut words = args.words.into_iter();
    let file = if args.program.is_none() { words.next() } else { None };
    let source = Source::read(args.program, file)?;
    let options = RunOptions {
        name: source.name,
        source: source.text,
        compile: lang::Options {
            args: words.collect(),
            named: args.named.iter().map(|word| named_argument(word)).collect(),
            settings: settings_of_environment(),
            unsafe_allowed: args.unsafe_allowed,
            pid: args.pid,
        },
        format: match args.format {
            OutputFormat::Text => Format::Text,
            OutputFormat::Json => Format::Json,
        },
        output: args.output,
        duration: args.duration,
        quiet: args.quiet,
        no_warnings: args.no_warnings,
        dry_run: args.dry_run,
        attached_marker: None,
    };
    Ok(match agent::run::run(&options) {
        Ok(code) => ExitCode::from(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
        Err(error) => {
            eprint!("{error}");
            explain_missing();
            ExitCode::FAILURE
        }
    })
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

/// bpftrace's settings come from `BPFTRACE_*` too, and win over the script's.
fn settings_of_environment() -> Vec<(String, String)> {
    std::env::vars().filter(|(key, _)| key.starts_with("BPFTRACE_")).collect()
}

/// A number with a unit: `500ms`, `30s`, `5m`, `1h`.
pub fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    std::time::Duration::try_from(span).map_err(|_| "a duration is not negative".to_owned())
}
