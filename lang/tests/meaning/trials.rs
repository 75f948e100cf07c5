//! Tests and benchmarks of a script: which probes are there for them, and what they return.

use lang::options::{Options, Trials};

use crate::script::{Script, target};

const SCRIPT: &str = "begin { @n = 1; } test:good { if (@n != 1) { return 1; } } test:bad { return @n + 1; }
                      bench:quick { @n++; } rawtracepoint:record { @n++; }";

fn compiled(trials: Option<Trials>) -> Script {
    Script::on(&target(), SCRIPT, &Options { trials, ..Options::default() })
}

fn names(script: &Script) -> Vec<&str> {
    script.compiled.programs.iter().map(|program| program.name.as_str()).collect()
}

#[test]
fn tests_and_benchmarks_are_there_when_they_are_asked_for_and_nothing_else() {
    assert_eq!(names(&compiled(Some(Trials::Tests))).len(), 3, "begin and two tests");
    assert_eq!(names(&compiled(Some(Trials::Benches))).len(), 2, "begin and a benchmark");
    assert_eq!(names(&compiled(None)).len(), 2, "begin and what the script watches");
}

#[test]
fn a_test_returns_what_it_says() {
    let mut script = compiled(Some(Trials::Tests));
    script.fire(0, &[]);
    let programs = script.compiled.programs.clone();
    let results: Vec<u64> = programs[1..].iter().map(|program| script.machine.run(program, &[])).collect();
    assert_eq!(results, [0, 2]);
}
