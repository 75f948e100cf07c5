//! `bpfleet check`: is the script right, without running it and without privileges.

use std::process::ExitCode;

use lang::target::Target;

use crate::source::Source;

/// Say what is wrong with a script, as the operator would
#[derive(clap::Args)]
pub struct Args {
    /// The script itself, instead of a file
    #[arg(short = 'e', value_name = "SCRIPT")]
    program: Option<String>,
    /// The script's file, `-` for standard input
    file: Option<String>,
    /// How findings are printed
    #[arg(short, long, value_enum, default_value_t)]
    format: Findings,
    /// Check against this machine's kernel instead of any; reading its tracepoints needs root
    #[arg(long)]
    here: bool,
    /// Say which kinds of probes this machine can serve, and why not the others, instead of checking a script; needs root
    #[arg(long, conflicts_with_all = ["program", "file"])]
    node_report: bool,
    /// Allow functions that change the system
    #[arg(long = "unsafe")]
    unsafe_allowed: bool,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Findings {
    /// With the source line and what to do
    #[default]
    Text,
    /// One line each
    Line,
    /// One JSON document
    Json,
}

/// Prints every finding to standard output; fails where one is an error.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.node_report {
        print!("{}", agent::node_report::text(&agent::node_report::kinds()));
        return Ok(ExitCode::SUCCESS);
    }
    let source = Source::read(args.program, args.file)?;
    let options = lang::Options { unsafe_allowed: args.unsafe_allowed, files_allowed: args.here, ..Default::default() };
    let found = match lang::parse(&source.text) {
        Err(found) => found,
        Ok(script) => {
            let target = match args.here {
                true => agent::target::gather(&lang::needs::needs_with(&script, &options))?,
                false => Target::generic(),
            };
            lang::check(&source.text, &script, &target, &options)
        }
    };
    let render = match args.format {
        Findings::Text => lang::render::terminal,
        Findings::Line => lang::render::one_line,
        Findings::Json => lang::render::json,
    };
    print!("{}", render(&source.name, &source.text, &found));
    let wrong = found.iter().any(|d| d.severity == lang::diagnostic::Severity::Error);
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
