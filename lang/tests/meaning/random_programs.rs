//! Random programs print what the interpreter of them says.

use crate::random;
use crate::script::Script;

/// What a debug build does in seconds; `BPFLEET_PROGRAMS` asks for more.
const PROGRAMS: u64 = 100;

#[test]
fn random_programs_mean_what_the_interpreter_says() {
    let seeds: Vec<u64> = random::seeds(PROGRAMS).collect();
    std::thread::scope(|scope| {
        for part in seeds.chunks(seeds.len() / 2) {
            scope.spawn(|| part.iter().for_each(|seed| check(*seed)));
        }
    });
}

fn check(seed: u64) {
    let (source, expected) = random::program(seed);
    let mut script = Script::new(&source);
    script.fire(0, &[]);
    assert_eq!(script.output(), expected, "BPFLEET_SEED={seed}\n{source}");
}
