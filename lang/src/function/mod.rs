//! The functions of the language. Each has a file: its signature, what it means, an example, its check and its code together.
//!
//! To add one, copy a file and list it in [`ALL`].

mod aggregation;
mod avg;
mod clear;
mod count;
mod delete;
mod exit;
mod format;
mod has_key;
mod hist;
mod kstack;
mod ksym;
mod len;
mod lhist;
mod max;
mod min;
mod print;
mod printf;
mod stack_call;
mod stats;
mod str;
mod strftime;
mod sum;
mod time;
mod ustack;
mod usym;
mod zero;

pub use usym::usym_of;

use crate::check::{Call, Checker};
use crate::hir;

/// A function.
pub struct Function {
    /// What it is called.
    pub name: &'static str,
    /// How it is called, with the types of its arguments.
    pub signature: &'static str,
    /// One or two sentences for the documentation.
    pub summary: &'static str,
    /// A script that uses it.
    pub example: &'static str,
    /// The least and the most arguments.
    pub args: (usize, usize),
    /// Whether it changes the system, which must be allowed.
    pub changes_system: bool,
    /// Checks a call and says how its code is made.
    pub check: fn(&mut Checker<'_>, &Call<'_>) -> hir::Expr,
}

/// Every function, in name order.
pub const ALL: &[&Function] = &[
    &avg::FUNCTION,
    &clear::FUNCTION,
    &count::FUNCTION,
    &delete::FUNCTION,
    &exit::FUNCTION,
    &has_key::FUNCTION,
    &hist::FUNCTION,
    &kstack::FUNCTION,
    &ksym::FUNCTION,
    &len::FUNCTION,
    &lhist::FUNCTION,
    &max::FUNCTION,
    &min::FUNCTION,
    &print::FUNCTION,
    &printf::FUNCTION,
    &stats::FUNCTION,
    &str::FUNCTION,
    &strftime::FUNCTION,
    &sum::FUNCTION,
    &time::FUNCTION,
    &ustack::FUNCTION,
    &usym::FUNCTION,
    &zero::FUNCTION,
];

/// The function called `name`.
pub fn find(name: &str) -> Option<&'static Function> {
    ALL.iter().copied().find(|f| f.name == name)
}

/// The names of all functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|f| f.name)
}
