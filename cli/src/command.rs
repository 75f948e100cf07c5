//! The subcommands: each file holds one, its arguments and what it does with them.

pub mod check;
pub mod fmt;
pub mod probes;
pub mod run;
