//! What scripts mean: each is compiled, run on a BPF machine made for this, and judged by what it prints.
//!
//! [`machine`], [`maps`] and [`kernel`] stand for the kernel, [`script`] for the session that reads maps and events. The same
//! programs run in the real kernel in the agent's tests; here every rule of the language has its case.
#![allow(clippy::disallowed_methods, reason = "tests read what they need")]

mod aggregates;
#[path = "../arithmetic/mod.rs"]
mod arithmetic;
mod control;
mod histograms;
mod integers;
mod iteration;
mod kernel;
mod machine;
mod macros;
mod map_elements;
mod maps;
mod memory;
#[path = "../random/mod.rs"]
mod random;
mod random_programs;
mod script;
mod series;
mod structs;
mod text;
mod trials;
mod values;
