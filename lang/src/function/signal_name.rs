//! `signal_name(number)`: what a signal means.

use super::Function;
use super::names::named;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "signal_name",
    signature: "signal_name(int number)",
    summary: "What a signal means, as `strsignal` says it.",
    example: "begin { print(signal_name(15)); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let names = (0i64..).zip(MEANINGS.iter().copied());
        named(checker, call, "signal", "N/A", names.collect())
    },
};

/// What glibc says of each signal of x86-64 and aarch64, from 0 on.
#[rustfmt::skip]
const MEANINGS: &[&str] = &[
    "Unknown signal 0",
    "Hangup",
    "Interrupt",
    "Quit",
    "Illegal instruction",
    "Trace/breakpoint trap",
    "Aborted",
    "Bus error",
    "Floating point exception",
    "Killed",
    "User defined signal 1",
    "Segmentation fault",
    "User defined signal 2",
    "Broken pipe",
    "Alarm clock",
    "Terminated",
    "Stack fault",
    "Child exited",
    "Continued",
    "Stopped (signal)",
    "Stopped",
    "Stopped (tty input)",
    "Stopped (tty output)",
    "Urgent I/O condition",
    "CPU time limit exceeded",
    "File size limit exceeded",
    "Virtual timer expired",
    "Profiling timer expired",
    "Window changed",
    "I/O possible",
    "Power failure",
    "Bad system call",
];
