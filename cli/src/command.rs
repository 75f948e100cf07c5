//! The subcommands: each file holds one, its arguments and what it does with them.

pub mod agent;
pub mod check;
pub mod demo;
pub mod fmt;
pub mod operator;
pub mod probes;
pub mod run;
mod service;
