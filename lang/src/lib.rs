//! The language: script text and a [`target::Target`] in, bytecode and a schema out.
//!
//! Pure. The passes in their order: `lex` and `parse` make [`ast`], `needs` says what to gather, `expand` makes attach points
//! concrete, `check` types every expression, `lower` makes [`ir`], the passes improve it, `emit` makes instructions.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::indexing_slicing
    )
)]

mod arch;
pub mod ast;
mod bits;
pub mod builtin;
mod check;
pub mod codes;
mod compile;
pub mod compiled;
pub mod config;
mod constants;
mod ctype;
mod definition;
pub mod diagnostic;
pub mod docs;
pub mod dump;
pub mod emit;
mod expand;
mod filter;
pub mod function;
pub mod glob;
mod hir;
pub mod import;
pub mod ir;
pub mod lex;
mod lower;
mod macros;
mod nearest;
pub mod needs;
pub mod options;
mod orc;
pub mod parameters;
pub mod parse;
pub mod passes;
mod passing;
pub mod print;
pub mod provider;
pub mod render;
mod rewrite;
pub mod span;
pub mod syscalls;
pub mod target;
pub mod token;
mod types;
pub mod unwinding;
mod uses;
mod walk;

pub use compile::{check, compile};
pub use nearest::nearest;
pub use needs::needs;
pub use options::Options;
pub use parse::parse;
