//! Random well-typed programs and what they print, by an interpreter that shares nothing with the compiler.
//!
//! The suites run them on a machine of their own (here) and in the kernel (the agent's). `BPFLEET_SEED` chooses others,
//! `BPFLEET_PROGRAMS` how many; a failure names the seed that brings it back.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "whoever repeats a failure names and is told the seed"
)]

pub mod generate;
pub mod model;
pub mod program;
pub mod tables;

use generate::Random;

/// The seeds of `count` programs, or of as many as the environment says.
pub fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let (first, count) = (number("BPFLEET_SEED").unwrap_or(1), number("BPFLEET_PROGRAMS").unwrap_or(count));
    eprintln!("seeds {first} to {}", first + count - 1);
    first..first + count
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// The program of a seed: its text, and what it prints.
pub fn program(seed: u64) -> (String, String) {
    let program = generate::program(&mut Random(seed));
    (program.to_string(), model::output(&program))
}
