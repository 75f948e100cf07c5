//! `bpfleet fmt`: a script in its canonical layout.

use std::process::ExitCode;

use anyhow::Context;

use crate::source::Source;

/// Print a script in its canonical layout
#[derive(clap::Args)]
pub struct Args {
    /// The script's file, `-` for standard input
    file: String,
    /// Fail where the file is not in that layout, and print nothing
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Write it back to the file
    #[arg(short, long)]
    write: bool,
}

/// Formats the script; a wrong one is left alone and its findings printed.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let source = Source::read(None, Some(args.file.clone()))?;
    let script = match lang::parse(&source.text) {
        Ok(script) => script,
        Err(found) => {
            eprint!("{}", lang::render::terminal(&source.name, &source.text, &found));
            return Ok(ExitCode::FAILURE);
        }
    };
    let text = lang::print::print(&script);
    if args.check {
        return Ok(if text == source.text { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    match args.write {
        true => std::fs::write(&args.file, text).with_context(|| format!("cannot write {}", args.file))?,
        false => print!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}
