//! How long it takes from a script's text to its programs, without I/O: the median for each script of `examples/`, and for the
//! largest one at hand. Fails where one takes a millisecond or more. `cargo bench -p bpfleet-lang`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a measurement reads scripts, looks at the clock and prints"
)]

#[path = "../tests/cases/target.rs"]
mod target;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lang::Options;
use lang::target::Target;

const RUNS: usize = 51;
const BAR: Duration = Duration::from_millis(1);

/// Many maps with long keys of all kinds, so that registers and stack are short.
const LARGE: &str = "tracepoint:raw_syscalls:sys_enter {
    @a[comm] = hist(args.id); @b[comm, pid] = sum(1); @c[comm, pid, tid, uid] = stats(args.id);
    @d[comm, \"a string that is longer than a command\"] = count(); @e[comm, comm, comm, comm] = count();
    if (args.id == 1 && comm == \"dd\") { @f[args.args[2] / 512] = count(); } else { @g = lhist(args.id, 0, 500, 10); }
}";

fn main() -> ExitCode {
    let mut target = target::target();
    if let Some(read) = target.tracepoints.get("syscalls:sys_exit_read").cloned() {
        target.tracepoints.insert("syscalls:sys_exit_write".into(), read);
    }
    let mut scripts = vec![("(large)".to_owned(), LARGE.to_owned())];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for entry in std::fs::read_dir(folder).expect("the examples are there").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "bt") {
            let text = std::fs::read_to_string(&path).expect("an example can be read");
            scripts.push((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), text));
        }
    }
    scripts.sort();
    let mut slow = false;
    println!("{:<24} {:>12} {:>12}", "script", "instructions", "median");
    for (name, text) in scripts {
        let (instructions, time) = measure(&text, &target);
        slow |= time >= BAR;
        println!("{name:<24} {instructions:>12} {:>9.1} us", time.as_secs_f64() * 1e6);
    }
    if slow { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn measure(text: &str, target: &Target) -> (usize, Duration) {
    let mut instructions = 0;
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let script = lang::parse(text).expect("the script can be parsed");
            let compiled = lang::compile(text, &script, target, &Options::default()).expect("the script compiles");
            let time = start.elapsed();
            instructions = compiled.programs.iter().map(|program| program.insns.len()).sum();
            time
        })
        .collect();
    times.sort_unstable();
    (instructions, times.get(RUNS / 2).copied().unwrap_or_default())
}
