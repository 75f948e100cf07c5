//! The builtins of the language: names that stand for something about the event at hand. Each has a file.
//!
//! To add one, copy a file and list it in [`ALL`]. `arg0`, `arg1` .. share one file.

mod arg;
pub mod args;
mod cgroup;
mod comm;
mod config;
mod cpid;
mod cpu;
pub mod ctx;
mod curtask;
mod elapsed;
mod func;
mod gid;
mod has_cpid;
mod jiffies;
mod kstack;
mod leader_comm;
mod leader_tid;
mod ncpus;
pub mod nsecs;
mod numaid;
mod passed;
mod pcomm;
mod pid;
mod ppid;
mod probe;
mod probetype;
mod rand;
mod relative;
mod retval;
mod stack;
mod tid;
mod typed;
mod uid;
mod usermode;
mod username;
mod ustack;

pub use kstack::kstack;
pub use relative::of_task;
pub use stack::{MOST_FRAMES, USER, frames, kept_frames, stack_type};
pub use ustack::ustack;

use crate::check::Checker;
use crate::hir;
use crate::span::Span;

/// A builtin.
pub struct Builtin {
    /// What it is called.
    pub name: &'static str,
    /// The type of its value.
    pub ty: &'static str,
    /// One sentence for the documentation.
    pub summary: &'static str,
    /// A script that uses it.
    pub example: &'static str,
    /// Checks a use and says how its code is made.
    pub check: fn(&mut Checker<'_>, Span) -> hir::Expr,
}

/// Every builtin, in name order.
pub const ALL: &[&Builtin] = &[
    &arg::ARG0,
    &arg::ARG1,
    &arg::ARG10,
    &arg::ARG11,
    &arg::ARG2,
    &arg::ARG3,
    &arg::ARG4,
    &arg::ARG5,
    &arg::ARG6,
    &arg::ARG7,
    &arg::ARG8,
    &arg::ARG9,
    &args::BUILTIN,
    &cgroup::BUILTIN,
    &comm::BUILTIN,
    &config::BUILTIN,
    &cpid::BUILTIN,
    &cpu::BUILTIN,
    &ctx::BUILTIN,
    &curtask::BUILTIN,
    &elapsed::BUILTIN,
    &func::BUILTIN,
    &gid::BUILTIN,
    &has_cpid::BUILTIN,
    &jiffies::BUILTIN,
    &kstack::BUILTIN,
    &leader_comm::BUILTIN,
    &leader_tid::BUILTIN,
    &ncpus::BUILTIN,
    &nsecs::BUILTIN,
    &numaid::BUILTIN,
    &pcomm::BUILTIN,
    &pid::BUILTIN,
    &ppid::BUILTIN,
    &probe::BUILTIN,
    &probetype::BUILTIN,
    &rand::BUILTIN,
    &retval::BUILTIN,
    &tid::BUILTIN,
    &uid::BUILTIN,
    &usermode::BUILTIN,
    &username::BUILTIN,
    &ustack::BUILTIN,
];

/// How a builtin may be written too, whatever macros a script has.
const ALWAYS: &str = "__builtin_";

/// The builtin called `name`.
pub fn find(name: &str) -> Option<&'static Builtin> {
    let name = name.strip_prefix(ALWAYS).unwrap_or(name);
    ALL.iter().copied().find(|b| b.name == name)
}

/// The names of all builtins.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|b| b.name)
}
