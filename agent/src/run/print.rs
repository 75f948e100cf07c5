//! Prints a session's output as bpftrace 0.27 does, as text or as JSON lines.
//!
//! The formats themselves are `report`'s; here is what goes to which stream, and the script's lines for messages about them.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use lang::import::{Line, Sources};
use report::event::HelperError;
use report::schema::{CallSite, Part, PrintfTo};
use report::snapshot::Snapshot;
use report::value::Text;
use report::{folded, json, text};

use super::RunOptions;
use crate::read::Lost;
use crate::session::{Output, Sink};

/// How output is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// The stacks of maps, a line each, as flame graph tools read them; all else goes to standard error as text.
    Folded,
}

/// Writes a session's output.
pub struct Printer {
    to: BufWriter<Box<dyn Write>>,
    format: Format,
    sources: Sources,
    warnings: bool,
}

impl Printer {
    /// Prints to `to` what `options` asks for.
    pub fn new(options: &RunOptions, sources: Sources, to: Box<dyn Write>) -> Self {
        Self { to: BufWriter::new(to), format: options.format, sources, warnings: !options.no_warnings }
    }

    /// Says how many probes are attached: JSON with the output, text on standard error.
    pub fn attached(&mut self, probes: usize) -> io::Result<()> {
        match self.format {
            Format::Text | Format::Folded => {
                eprint!("{}", text::attached_probes(probes));
                Ok(())
            }
            Format::Json => self.put(json::attached_probes_line(probes)),
        }
    }

    /// Prints what the maps hold at the end.
    pub fn maps(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        self.put(match self.format {
            Format::Text => text::snapshot(snapshot),
            Format::Json => json::snapshot(snapshot),
            Format::Folded => return self.folded_maps(snapshot),
        })
    }

    fn folded_maps(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let mut others = snapshot.clone();
        others.maps.retain(|_, map| !folded::has_stacks(map));
        snapshot.maps.values().try_for_each(|map| self.put(folded::map(map)))?;
        self.aside(&text::snapshot(&others))
    }

    /// What is no stack, beside the stacks.
    fn folded(&mut self, output: Output) -> io::Result<()> {
        match output {
            Output::Map { data, .. } if folded::has_stacks(&data) => self.put(folded::map(&data)),
            Output::HelperError(_) | Output::Warning(_) | Output::Failed(_) | Output::LostEvents(_) => {
                self.text(output)
            }
            output => {
                self.flush()?;
                let stacks = std::mem::replace(&mut self.to, BufWriter::new(Box::new(io::stderr())));
                let printed = self.text(output).and_then(|()| self.flush());
                self.to = stacks;
                printed
            }
        }
    }

    /// Says that maps were too small for what the script put into them. Lost events were told when they were lost.
    pub fn lost(&mut self, lost: Lost) {
        if !self.warnings {
            return;
        }
        if lost.elements > 0 {
            eprintln!(
                "WARNING: Map full; can't update element. Try increasing max_map_keys config or manually setting the max \
                 entries in a map declaration e.g. `let @a = hash(5000)`\nThis happened {}.",
                times(lost.elements)
            );
        }
        if lost.stacks > 0 {
            eprintln!(
                "WARNING: no place was left for a stack {}; rows with that stack are not counted apart",
                times(lost.stacks)
            );
        }
    }

    /// Tells how a test went; what it printed is told where it failed.
    pub fn test(&mut self, name: &str, took: Duration, passed: bool, said: Vec<Output>) -> io::Result<()> {
        if self.format == Format::Json {
            return self.put(json::test_line(name, took, passed));
        }
        self.put(format!("[ RUN      ] {name}\n"))?;
        if !passed {
            said.into_iter().try_for_each(|output| self.text(output))?;
        }
        let verdict = if passed { "      OK" } else { " FAILED " };
        self.put(format!("[ {verdict} ] {name} ({} us)\n", took.as_micros()))
    }

    /// Tells how all tests went.
    pub fn tests(&mut self, run: usize, failed: &[String]) -> io::Result<()> {
        if self.format == Format::Json {
            return Ok(());
        }
        self.put(format!("[==========] {run} tests ran.\n[  PASSED  ] {} tests.\n", run - failed.len()))?;
        if !failed.is_empty() {
            self.put(format!("[  FAILED  ] {} tests, listed below:\n", failed.len()))?;
        }
        failed.iter().try_for_each(|name| self.put(format!("[  FAILED  ] {name}\n")))
    }

    /// Tells how long one run of a benchmark takes; before the first of them what the columns are, for names of at most `width`.
    pub fn bench(&mut self, name: &str, (first, width): (bool, usize), took: Duration, times: u32) -> io::Result<()> {
        if self.format == Format::Json {
            return self.put(json::bench_line(name, took, times));
        }
        let width = width.max(40) + 1;
        if first {
            let line = "-".repeat(width + 25);
            self.put(format!("{:<width$}{:<15}Iterations\n{line}\n", "Benchmark", "Time(ns)"))?;
        }
        self.put(format!("{name:<width$}{:<15}{times}\n", took.as_nanos()))
    }

    /// Tells that a benchmark printed an error or ended the script.
    pub fn bench_failed(&mut self, name: &str) -> io::Result<()> {
        self.aside(&format!("ERROR: Benchmark '{name}' failed.\n"))
    }

    /// Hands everything printed so far to the system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    fn put(&mut self, printed: impl AsRef<[u8]>) -> io::Result<()> {
        self.to.write_all(printed.as_ref())
    }

    fn text(&mut self, output: Output) -> io::Result<()> {
        match output {
            Output::Printf { to: PrintfTo::Output, text } => self.put(text.0),
            Output::Printf { to: PrintfTo::Error(site), text } => self.told("ERROR", site, &text.to_str_lossy()),
            Output::Printf { to: PrintfTo::Warning(site), text } => self.told("WARNING", site, &text.to_str_lossy()),
            Output::Value(value) => {
                self.put(text::value_bytes(&value))?;
                self.put("\n")
            }
            Output::Map { name, data, top, div } => self.put(text::map(&name, &data, top, div)),
            Output::Row { kind, cell } => {
                self.put(text::cell(&kind, &cell, None))?;
                self.put("\n")
            }
            Output::Time(text) => self.put(text),
            Output::Join(Text(mut text)) => {
                text.push(b'\n');
                self.put(text)
            }
            Output::Cat(Text(text)) | Output::System(Text(text)) => self.put(text),
            Output::HelperError(error) => self.message("WARNING", error.at, text::helper_error(&error).trim_end()),
            Output::Warning(message) => self.warn(&message),
            Output::Failed(message) => self.aside(&format!("ERROR: {message}\n")),
            Output::LostEvents(events) => self.aside(&text::lost_events(events)),
        }
    }

    fn json(&mut self, output: Output) -> io::Result<()> {
        let line = match output {
            Output::Printf { to, text } => {
                let (to, file) = self.printed_in(to);
                json::printf_line(to, &text, file)
            }
            Output::Value(value) => json::value_line(&value),
            Output::Map { name, data, top, div } => json::map_line(&name, &data, top, div),
            Output::Row { kind, cell } => json::cell_line(&kind, &cell),
            Output::Time(text) => json::time_line(&text),
            Output::Join(text) => json::join_line(&text),
            Output::Cat(text) => json::cat_line(&text),
            Output::System(text) => json::system_line(&text),
            Output::HelperError(error) => {
                let (at, line) = self.in_file(error.at);
                json::helper_error_line(&HelperError { at, ..error.clone() }, &errno(&error), line.file)
            }
            Output::Warning(message) => return self.warn(&message),
            Output::Failed(message) => return self.aside(&format!("ERROR: {message}\n")),
            Output::LostEvents(events) => json::lost_events_line(events),
        };
        self.put(line)
    }

    /// A part of the whole text as one of its file.
    fn in_file(&self, part: Part) -> (Part, Line<'_>) {
        let line = self.sources.line(part.line);
        (Part { line: line.number, ..part }, line)
    }

    /// The same for the call that printed something.
    fn printed_in(&self, to: PrintfTo) -> (PrintfTo, &str) {
        let in_file = |site: CallSite| {
            let (at, line) = self.in_file(site.at);
            (CallSite { at, ..site }, line.file)
        };
        match to {
            PrintfTo::Output => (to, ""),
            PrintfTo::Error(site) => {
                let (site, file) = in_file(site);
                (PrintfTo::Error(site), file)
            }
            PrintfTo::Warning(site) => {
                let (site, file) = in_file(site);
                (PrintfTo::Warning(site), file)
            }
        }
    }

    fn warn(&mut self, message: &str) -> io::Result<()> {
        if self.warnings { self.aside(&format!("WARNING: {message}\n")) } else { Ok(()) }
    }

    /// Prints to standard error, after what the script has printed before.
    fn aside(&mut self, message: &str) -> io::Result<()> {
        self.flush()?;
        eprint!("{message}");
        Ok(())
    }

    /// What the script itself says about a call of it, and from where a macro was called that says so.
    fn told(&mut self, kind: &str, site: CallSite, message: &str) -> io::Result<()> {
        self.message(kind, site.at, message)?;
        match site.expanded_from {
            Some(at) => self.message(kind, at, "expanded from"),
            None => Ok(()),
        }
    }

    /// A message about a place of the script, with that line and a mark under it.
    fn message(&mut self, kind: &str, at: Part, message: &str) -> io::Result<()> {
        if kind == "WARNING" && !self.warnings {
            return Ok(());
        }
        let (at, line) = self.in_file(at);
        let told = text::about(kind, line.file, line.text, at, message);
        self.aside(&told)
    }
}

impl Sink for Printer {
    fn take(&mut self, output: Output) -> io::Result<()> {
        match self.format {
            Format::Text => self.text(output),
            Format::Json => self.json(output),
            Format::Folded => self.folded(output),
        }
    }
}

fn times(n: u64) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

/// What the error number of a helper means, as the C library puts it: `Bad address`.
fn errno(error: &HelperError) -> String {
    let text = io::Error::from_raw_os_error(error.code.saturating_abs()).to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_number_is_told_in_words() {
        let at = Part { line: 1, column: 1, end: 2 };
        let error = HelperError { helper: String::new(), message: String::new(), code: -14, at };
        assert_eq!(errno(&error), "Bad address");
    }
}
