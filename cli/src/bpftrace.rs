//! The command under the name `bpftrace`: its command line and exit codes, so that what is written for it works unchanged.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory, Parser};

use crate::command::run;

/// The release whose command line and language this is.
const LIKE: &str = "0.27.1";

/// Run a bpftrace script on this machine
#[derive(Parser)]
#[command(name = "bpftrace", disable_version_flag = true, infer_long_args = true, max_term_width = 100)]
struct Cli {
    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::SetTrue)]
    version: bool,
    #[command(flatten)]
    args: run::Args,
}

/// Whether this is the name the command was started under.
pub fn is_name(name: Option<&OsString>) -> bool {
    name.and_then(|name| Path::new(name).file_name()).is_some_and(|name| name == "bpftrace")
}

/// What `--version` and `--info` say: tools read the number after the `v`.
pub fn version() -> String {
    format!("v{LIKE} (bpfleet {})", env!("CARGO_PKG_VERSION"))
}

/// Runs as bpftrace does.
pub fn main() -> anyhow::Result<ExitCode> {
    let words: Vec<OsString> = std::env::args_os().collect();
    if words.len() == 1 {
        eprint!("{}", usage());
        return Ok(ExitCode::FAILURE);
    }
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            print!("{}", usage());
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            let text = error.render().to_string();
            let problem = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            eprint!("ERROR: USAGE: {problem}\n\n{}", usage());
            return Ok(ExitCode::FAILURE);
        }
    };
    if cli.version {
        println!("bpftrace {}", version());
        return Ok(ExitCode::SUCCESS);
    }
    run::run(cli.args, false)
}

fn usage() -> String {
    let options = Cli::command().render_help().to_string();
    let options = options.split_once("Options:").map_or("", |(_, options)| options);
    format!(
        "USAGE:\n    bpftrace [OPTIONS] FILE [ARGUMENT ...] [-- --NAME=VALUE ...]\n    \
         bpftrace [OPTIONS] -e SCRIPT [ARGUMENT ...] [-- --NAME=VALUE ...]\n    bpftrace -l [PATTERN | FILE]\n\n\
         OPTIONS:{options}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_file_whatever_its_folder() {
        assert!(is_name(Some(&"/usr/bin/bpftrace".into())));
        assert!(is_name(Some(&"bpftrace".into())));
        assert!(!is_name(Some(&"/usr/bin/bpfleet".into())));
        assert!(!is_name(None));
    }

    #[test]
    fn the_usage_lists_the_options() {
        let usage = usage();
        assert!(usage.starts_with("USAGE:\n"));
        assert!(usage.contains("--dry-run"), "{usage}");
    }
}
