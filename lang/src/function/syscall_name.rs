//! `syscall_name(number)`: what a system call is called.

use super::Function;
use super::names::named;
use crate::syscalls;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "syscall_name",
    signature: "syscall_name(int number)",
    summary: "The name of a system call of the node's architecture.",
    example: "tracepoint:raw_syscalls:sys_enter { @[syscall_name(args.id)] = count(); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let names = syscalls::all(checker.target.arch).map(|(number, name)| (i64::from(number), name));
        named(checker, call, "syscall", "Unknown syscall", names.collect())
    },
};
