//! The functions of the language. Each has a file: its signature, what it means, an example, its check and its code together.
//!
//! To add one, copy a file and list it in [`ALL`].

mod aggregation;
mod avg;
mod bswap;
mod buf;
mod bytes;
mod cat;
mod cgroup_path;
mod clear;
mod count;
mod delete;
mod errorf;
mod exit;
mod format;
mod getopt;
mod has_key;
mod hist;
mod is_err;
mod join;
mod kaddr;
mod kptr;
mod kstack;
mod ksym;
mod len;
mod lhist;
mod macaddr;
mod max;
mod min;
mod nsecs;
mod ntop;
mod print;
mod printf;
mod pton;
mod reg;
mod signal;
mod signal_thread;
mod stack_call;
mod stats;
mod str;
mod strerror;
mod strftime;
mod strncmp;
mod sum;
mod system;
mod time;
mod uptr;
mod ustack;
mod usym;
mod warnf;
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
    &bswap::FUNCTION,
    &buf::FUNCTION,
    &cat::FUNCTION,
    &cgroup_path::FUNCTION,
    &clear::FUNCTION,
    &count::FUNCTION,
    &delete::FUNCTION,
    &errorf::FUNCTION,
    &exit::FUNCTION,
    &getopt::FUNCTION,
    &has_key::FUNCTION,
    &hist::FUNCTION,
    &is_err::FUNCTION,
    &join::FUNCTION,
    &kaddr::FUNCTION,
    &kptr::FUNCTION,
    &kstack::FUNCTION,
    &ksym::FUNCTION,
    &len::FUNCTION,
    &lhist::FUNCTION,
    &macaddr::FUNCTION,
    &max::FUNCTION,
    &min::FUNCTION,
    &nsecs::FUNCTION,
    &ntop::FUNCTION,
    &print::FUNCTION,
    &printf::FUNCTION,
    &pton::FUNCTION,
    &reg::FUNCTION,
    &signal::FUNCTION,
    &signal_thread::FUNCTION,
    &stats::FUNCTION,
    &str::FUNCTION,
    &strerror::FUNCTION,
    &strftime::FUNCTION,
    &strncmp::FUNCTION,
    &sum::FUNCTION,
    &system::FUNCTION,
    &time::FUNCTION,
    &uptr::FUNCTION,
    &ustack::FUNCTION,
    &usym::FUNCTION,
    &warnf::FUNCTION,
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
