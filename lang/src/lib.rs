//! The language: script text and a [`target::Target`] in, bytecode and a schema out.
//!
//! Pure. The passes in their order: `lex` and `parse` make [`ast`], `needs` says what to gather, `expand` makes attach points
//! concrete, `check` types every expression, `lower` makes [`ir`], the passes improve it, `emit` makes instructions.

pub mod ast;
mod bits;
pub mod codes;
pub mod compiled;
pub mod diagnostic;
pub mod emit;
pub mod ir;
pub mod lex;
pub mod parse;
pub mod passes;
pub mod print;
pub mod render;
pub mod span;
pub mod target;
pub mod token;

pub use parse::parse;
