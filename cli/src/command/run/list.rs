//! `-l`: the probes that match a pattern, or those a script would attach.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use agent::probes::{Listing, list};

use super::{Args, Failure};
use crate::source::Source;

/// Prints one probe a line; with `-v` the arguments of each, indented. Not finding any is no failure, as in bpftrace.
pub fn run(args: &Args, pid: Option<u32>) -> Result<ExitCode, Failure> {
    let listing = Listing { verbose: args.verbose, pid, debug_folders: &args.debuginfo };
    let mut words = args.words.iter();
    let word = words.next();
    if words.next().is_some() {
        return Err(Failure::Usage("-l takes one pattern or one file".to_owned()));
    }
    let file = word.filter(|word| args.program.is_none() && Path::new(word).exists());
    let lines = if args.program.is_some() || file.is_some() {
        of_script(&Source::read(args.program.clone(), file.cloned())?, &listing)?
    } else {
        let pattern = word.map_or("", String::as_str);
        if pattern.contains('.') && !pattern.contains([':', '*']) {
            eprintln!(
                "WARNING: It appears that '{pattern}' is a filename but the file does not exist. \
                 Treating '{pattern}' as a search pattern."
            );
        }
        list(pattern, &listing).map_err(|error| Failure::Other(error.into()))?
    };
    print(&lines).map_err(|error| Failure::Other(error.into()))?;
    Ok(ExitCode::SUCCESS)
}

/// The probes of a script, without those that need no attaching.
fn of_script(source: &Source, listing: &Listing<'_>) -> Result<Vec<String>, Failure> {
    let script = lang::parse(&source.text)
        .map_err(|found| Failure::Other(anyhow::anyhow!(lang::render::terminal(&source.name, &source.text, &found))))?;
    let mut lines = Vec::new();
    for point in script.probes.iter().flat_map(|probe| &probe.attach_points) {
        let pattern = pattern(point.provider.node.as_str(), point.parts.iter().map(|part| part.node.as_str()));
        let Some(pattern) = pattern else { continue };
        lines.extend(list(&pattern, listing).map_err(|error| Failure::Other(error.into()))?);
    }
    Ok(lines)
}

/// What to list for an attach point: how often an event counts is no part of its name.
fn pattern<'a>(provider: &str, mut parts: impl Iterator<Item = &'a str>) -> Option<String> {
    let provider = provider.to_ascii_lowercase();
    match provider.as_str() {
        "begin" | "end" | "self" | "test" | "bench" => None,
        "interval" | "i" | "profile" | "p" | "hardware" | "h" | "software" | "s" => {
            parts.next().map(|event| format!("{provider}:{event}:"))
        }
        _ => Some(parts.fold(provider, |name, part| format!("{name}:{part}"))),
    }
}

/// Prints lines to standard output. Whoever reads them, as `head` does, may have seen enough before the last.
pub fn print(lines: &[String]) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
