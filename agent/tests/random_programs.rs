//! Random programs load into this machine's kernel, every one, and print there what the interpreter of them says.
//!
//! Says `SKIP` and why where this process may not trace.

#[path = "../../lang/tests/random/mod.rs"]
mod random;

use std::fs;

use agent::preflight;
use agent::run::{RunOptions, run};

const PROGRAMS: u64 = 1_000;

#[test]
fn the_verifier_takes_every_random_program_and_the_kernel_runs_it_as_it_is_meant() {
    let missing = preflight::missing();
    if !missing.is_empty() {
        println!("SKIP: {}", missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("output");
    for seed in random::seeds(PROGRAMS) {
        let (source, expected) = random::program(seed);
        let options = RunOptions {
            name: format!("BPFLEET_SEED={seed}"),
            source: source.clone(),
            output: Some(path.clone()),
            quiet: true,
            ..RunOptions::default()
        };
        let code = run(&options).unwrap_or_else(|error| panic!("{source}\n{error}"));
        let output = fs::read_to_string(&path).expect("the output");
        // Two empty lines stand between what a script prints and its maps, also where there is none.
        assert_eq!((code, output), (0, format!("{expected}\n\n")), "BPFLEET_SEED={seed}\n{source}");
    }
}
