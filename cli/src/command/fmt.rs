//! `bpfleet fmt`: a script in its canonical layout.

use std::path::Path;
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
    if args.check {
        let same = formatted(&source).is_some_and(|text| text == source.text);
        return Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    anyhow::ensure!(!args.write || args.file != "-", "standard input cannot be written back to: leave out --write");
    print(&source, args.write.then(|| Path::new(&args.file)))
}

/// Writes the formatted script to a file, or prints it.
pub fn print(source: &Source, to: Option<&Path>) -> anyhow::Result<ExitCode> {
    let Some(text) = formatted(source) else { return Ok(ExitCode::FAILURE) };
    match to {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
        None => print!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The script's canonical layout, comments and directives kept; what is wrong with it is printed.
fn formatted(source: &Source) -> Option<String> {
    match lang::print::format(&source.text) {
        Ok(text) => Some(text),
        Err(found) => {
            eprint!("{}", lang::render::terminal(&source.name, &source.text, &found));
            None
        }
    }
}
