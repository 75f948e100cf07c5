//! How long it takes to read the running kernel's types and to find some of them: medians. Fails where reading takes three
//! milliseconds or more. `cargo bench -p bpfleet-bpf`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a measurement reads a file, looks at the clock and prints"
)]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use bpf::btf::Btf;

const RUNS: usize = 21;
const BAR: Duration = Duration::from_millis(3);

fn main() -> ExitCode {
    let Ok(data) = std::fs::read("/sys/kernel/btf/vmlinux") else {
        println!("SKIP: this kernel has no /sys/kernel/btf/vmlinux");
        return ExitCode::SUCCESS;
    };
    let btf = Btf::parse(data.clone()).expect("the kernel's types can be read");
    let parse = median(|| data.clone(), |data| Btf::parse(data).is_ok());
    println!("{} types in {} bytes", btf.type_count(), data.len());
    println!("parse            {:>9.1} us", micros(parse));
    println!(
        "struct and field {:>9.1} us",
        micros(median(|| (), |()| btf.find_struct("task_struct").and_then(|task| btf.member(task, "comm")).is_some()))
    );
    println!(
        "enum constant    {:>9.1} us",
        micros(median(|| (), |()| btf.enum_constant("BPF_MAP_TYPE_RINGBUF").is_some()))
    );
    println!(
        "tracepoint       {:>9.1} us",
        micros(median(|| (), |()| btf.tracepoint_params("sched_switch").is_some()))
    );
    if parse < BAR { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Of `work`, which must find what it looks for; `prepare` is not measured.
fn median<T>(prepare: impl Fn() -> T, work: impl Fn(T) -> bool) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let input = prepare();
            let start = Instant::now();
            assert!(std::hint::black_box(work(input)), "not found");
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(RUNS / 2).copied().unwrap_or_default()
}
