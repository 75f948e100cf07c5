//! How long it takes from a script's text to its programs, without I/O: the median for each script of `examples/`, for a
//! large one, and for each that comes with this machine's bpftrace. What there is to know of the kernel has been read before, as in an agent
//! that runs for long. Every round compiles each script once, so that what else the machine does for a while meets all of them alike. Fails where one takes a millisecond or more. `cargo bench -p bpfleet-lang`, or of some only, by a part of their
//! names: `cargo bench -p bpfleet-lang -- ssl`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a measurement reads scripts, looks at the clock and prints"
)]

#[path = "../tests/node/mod.rs"]
mod node;
#[path = "../tests/cases/target.rs"]
mod target;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bpf::btf::Btf;
use lang::Options;
use lang::target::{Target, TracepointField, TracepointFormat};

const RUNS: usize = 51;
const BAR: Duration = Duration::from_millis(1);
const EVENTS: &str = "/sys/kernel/tracing/events";

/// Many maps with long keys of all kinds, so that registers and stack are short.
const LARGE: &str = "tracepoint:raw_syscalls:sys_enter {
    @a[comm] = hist(args.id); @b[comm, pid] = sum(1); @c[comm, pid, tid, uid] = stats(args.id);
    @d[comm, \"a string that is longer than a command\"] = count(); @e[comm, comm, comm, comm] = count();
    if (args.id == 1 && comm == \"dd\") { @f[args.args[2] / 512] = count(); } else { @g = lhist(args.id, 0, 500, 10); }
}";

/// A script, and how long its runs took.
struct Row {
    name: String,
    text: String,
    target: Target,
    instructions: usize,
    times: Vec<Duration>,
}

fn main() -> ExitCode {
    let mut target = target::target();
    if let Some(read) = target.tracepoints.get("syscalls:sys_exit_read").cloned() {
        target.tracepoints.insert("syscalls:sys_exit_write".into(), read);
    }
    let mut rows = vec![Row::new("(large)".into(), LARGE.into(), target.clone())];
    let examples = scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples"));
    rows.extend(examples.into_iter().map(|(name, text)| Row::new(name, text, target.clone())));
    let types = node::types();
    let mut absent = vec![];
    for folder in ["/usr/sbin", "/usr/share/bpftrace/tools"] {
        for (name, text) in scripts(Path::new(folder)) {
            let row = this_node(&text, types.clone())
                .map(|target| Row::new(format!("{name} (installed)"), text, target))
                .filter(|row| row.compile().is_some());
            match row {
                Some(row) => rows.push(row),
                None => absent.push(name),
            }
        }
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    rows.retain(|row| wanted.is_empty() || wanted.iter().any(|part| row.name.contains(part)));
    for _ in 0..RUNS {
        rows.iter_mut().for_each(Row::run);
    }
    println!("| script | instructions | median |\n|---|---:|---:|");
    let slow = rows.iter_mut().filter_map(|row| row.print().then_some(())).count();
    if !absent.is_empty() {
        println!("\nThis kernel lacks what these name: {}.", absent.join(", "));
    }
    if slow > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

impl Row {
    fn new(name: String, text: String, target: Target) -> Self {
        Self { name, text, target, instructions: 0, times: vec![] }
    }

    /// How many instructions the script becomes; nothing where it does not compile.
    fn compile(&self) -> Option<usize> {
        let options = Options { unsafe_allowed: true, ..Options::default() };
        let script = lang::parse(&self.text).ok()?;
        let compiled = lang::compile(&self.text, &script, &self.target, &options).ok()?;
        Some(compiled.programs.iter().map(|program| program.insns.len()).sum())
    }

    fn run(&mut self) {
        let start = Instant::now();
        let instructions = self.compile();
        self.times.push(start.elapsed());
        self.instructions = instructions.unwrap_or_else(|| panic!("{} compiles", self.name));
    }

    /// Prints the median; whether it is too much.
    fn print(&mut self) -> bool {
        self.times.sort_unstable();
        let median = self.times.get(RUNS / 2).copied().unwrap_or_default();
        println!("| `{}` | {} | {:.0} µs |", self.name, self.instructions, median.as_secs_f64() * 1e6);
        median >= BAR
    }
}

fn scripts(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let paths = entries.filter(|path| path.extension().is_some_and(|extension| extension == "bt"));
    let mut scripts: Vec<_> = paths
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a script can be read");
            (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), text)
        })
        .collect();
    scripts.sort();
    scripts
}

/// A kernel with every function and symbol the script names, this one's types, and the records of this one's tracepoints.
fn this_node(text: &str, types: Option<Arc<Btf>>) -> Option<Target> {
    let needs = lang::needs(&lang::parse(text).ok()?);
    let mut target = node::target(&needs, types);
    for pattern in &needs.tracepoints {
        let name = format!("{}:{}", pattern.category, pattern.event);
        if let Some(format) = record(&pattern.category, &pattern.event) {
            target.tracepoints.insert(name, Some(format));
        }
    }
    Some(target)
}

/// What the kernel says about a tracepoint's record.
fn record(category: &str, event: &str) -> Option<TracepointFormat> {
    let text = std::fs::read_to_string(Path::new(EVENTS).join(category).join(event).join("format")).ok()?;
    let fields = text.lines().filter_map(|line| {
        let mut parts = line.trim().strip_prefix("field:")?.split(';').map(str::trim);
        let declaration = parts.next()?;
        let mut number = |name: &str| parts.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let (offset, size, signed) = (number("offset:")?, number("size:")?, number("signed:")?);
        let (ty, name) = declaration.rsplit_once(' ')?;
        let (name, length) = name.split_once('[').map_or((name, ""), |(name, length)| (name, length));
        let ty = if length.is_empty() { ty.to_owned() } else { format!("{ty}[{length}") };
        Some(TracepointField { name: name.to_owned(), ty, offset, size, signed: signed == 1 })
    });
    Some(TracepointFormat { id: 1, fields: fields.collect() })
}
