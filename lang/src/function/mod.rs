//! The functions of the language. Each has a file: its signature, what it means, an example, its check and its code together.
//!
//! To add one, copy a file and list it in [`ALL`].

mod aggregation;
mod assert;
mod assert_str;
mod avg;
mod bswap;
mod buf;
mod bytes;
mod cat;
mod cgroup_path;
mod cgroupid;
mod clear;
mod comm;
mod container_of;
mod count;
mod debugf;
mod default_str_length;
mod delete;
mod dw_ustack;
mod errorf;
mod exit;
mod fail;
mod find;
mod format;
mod getopt;
mod has_key;
mod hist;
mod is_array;
mod is_err;
mod is_integer;
mod is_kind;
mod is_literal;
mod is_ptr;
mod is_str;
mod is_unsigned_integer;
mod join;
mod kaddr;
mod kernel_function;
mod kfunc_allowed;
mod kfunc_exist;
mod kptr;
mod kstack;
mod ksym;
mod leader_comm;
mod leader_tid;
mod len;
mod lhist;
mod macaddr;
mod max;
mod memcmp;
mod min;
mod names;
mod namespace;
mod nsecs;
mod ntop;
mod override_return;
mod path;
mod pcomm;
mod percpu_kaddr;
mod pid;
mod ppid;
mod print;
mod printf;
mod pton;
mod reg;
mod signal;
mod signal_name;
mod signal_thread;
mod skboutput;
mod socket_cookie;
mod stack_call;
mod static_assert;
mod stats;
mod str;
mod str_concat;
mod strcap;
mod strcontains;
mod strerror;
mod strftime;
mod strlen;
mod strncmp;
mod strstr;
mod sum;
mod syscall_name;
mod system;
mod text;
mod tid;
mod time;
mod tseries;
mod uaddr;
mod unwatch;
mod uptr;
mod ustack;
mod usym;
mod warnf;
mod write_user;
mod zero;

pub use comm::TASK_FUNCTIONS;
pub use percpu_kaddr::CPU_OFFSETS;
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
    &assert::FUNCTION,
    &assert_str::FUNCTION,
    &avg::FUNCTION,
    &bswap::FUNCTION,
    &buf::FUNCTION,
    &cat::FUNCTION,
    &cgroup_path::FUNCTION,
    &cgroupid::FUNCTION,
    &clear::FUNCTION,
    &comm::FUNCTION,
    &container_of::FUNCTION,
    &count::FUNCTION,
    &debugf::FUNCTION,
    &default_str_length::FUNCTION,
    &delete::FUNCTION,
    &dw_ustack::FUNCTION,
    &errorf::FUNCTION,
    &exit::FUNCTION,
    &fail::FUNCTION,
    &find::FUNCTION,
    &getopt::FUNCTION,
    &has_key::FUNCTION,
    &hist::FUNCTION,
    &is_array::FUNCTION,
    &is_err::FUNCTION,
    &is_integer::FUNCTION,
    &is_literal::FUNCTION,
    &is_ptr::FUNCTION,
    &is_str::FUNCTION,
    &is_unsigned_integer::FUNCTION,
    &join::FUNCTION,
    &kaddr::FUNCTION,
    &kfunc_allowed::FUNCTION,
    &kfunc_exist::FUNCTION,
    &kptr::FUNCTION,
    &kstack::FUNCTION,
    &ksym::FUNCTION,
    &leader_comm::FUNCTION,
    &leader_tid::FUNCTION,
    &len::FUNCTION,
    &lhist::FUNCTION,
    &macaddr::FUNCTION,
    &max::FUNCTION,
    &memcmp::FUNCTION,
    &min::FUNCTION,
    &nsecs::FUNCTION,
    &ntop::FUNCTION,
    &override_return::FUNCTION,
    &path::FUNCTION,
    &pcomm::FUNCTION,
    &percpu_kaddr::FUNCTION,
    &pid::FUNCTION,
    &ppid::FUNCTION,
    &print::FUNCTION,
    &printf::FUNCTION,
    &pton::FUNCTION,
    &reg::FUNCTION,
    &signal::FUNCTION,
    &signal_name::FUNCTION,
    &signal_thread::FUNCTION,
    &skboutput::FUNCTION,
    &socket_cookie::FUNCTION,
    &static_assert::FUNCTION,
    &stats::FUNCTION,
    &str::FUNCTION,
    &str_concat::FUNCTION,
    &strcap::FUNCTION,
    &strcontains::FUNCTION,
    &strerror::FUNCTION,
    &strftime::FUNCTION,
    &strlen::FUNCTION,
    &strncmp::FUNCTION,
    &strstr::FUNCTION,
    &sum::FUNCTION,
    &syscall_name::FUNCTION,
    &system::FUNCTION,
    &tid::FUNCTION,
    &time::FUNCTION,
    &tseries::FUNCTION,
    &uaddr::FUNCTION,
    &unwatch::FUNCTION,
    &uptr::FUNCTION,
    &ustack::FUNCTION,
    &usym::FUNCTION,
    &warnf::FUNCTION,
    &write_user::FUNCTION,
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

/// Whether the function called `name` aggregates, so that only a map takes what it gives.
pub fn aggregates(name: &str) -> bool {
    matches!(name, "avg" | "count" | "hist" | "lhist" | "max" | "min" | "stats" | "sum" | "tseries")
}
