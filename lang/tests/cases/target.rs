//! The node all cases are compiled for: a kernel that can do everything, with a handful of tracepoints and functions and no BTF.

use std::collections::BTreeMap;

use lang::target::{Arch, Features, Target, TracepointField, TracepointFormat};

/// Category and event, then type, name, offset, size and sign of each field.
type Tracepoint = (&'static str, &'static [(&'static str, &'static str, u32, u32, bool)]);

const TRACEPOINTS: &[Tracepoint] = &[
    ("raw_syscalls:sys_enter", &[("long", "id", 8, 8, true), ("unsigned long[6]", "args", 16, 48, false)]),
    ("raw_syscalls:sys_exit", &[("long", "id", 8, 8, true), ("long", "ret", 16, 8, true)]),
    (
        "syscalls:sys_enter_openat",
        &[
            ("int", "__syscall_nr", 8, 4, true),
            ("int", "dfd", 16, 8, false),
            ("const char *", "filename", 24, 8, false),
            ("int", "flags", 32, 8, false),
            ("umode_t", "mode", 40, 8, false),
        ],
    ),
    ("syscalls:sys_exit_read", &[("int", "__syscall_nr", 8, 4, true), ("long", "ret", 16, 8, true)]),
    (
        "sched:sched_switch",
        &[
            ("char[16]", "prev_comm", 8, 16, false),
            ("pid_t", "prev_pid", 24, 4, true),
            ("int", "prev_prio", 28, 4, true),
            ("long", "prev_state", 32, 8, true),
            ("char[16]", "next_comm", 40, 16, false),
            ("pid_t", "next_pid", 56, 4, true),
            ("int", "next_prio", 60, 4, true),
        ],
    ),
    ("sched:sched_wakeup", &[("char[16]", "comm", 8, 16, false), ("pid_t", "pid", 24, 4, true)]),
    (
        "block:block_rq_issue",
        &[
            ("dev_t", "dev", 8, 4, false),
            ("sector_t", "sector", 16, 8, false),
            ("unsigned int", "bytes", 28, 4, false),
            ("__data_loc char[]", "cmd", 58, 4, false),
        ],
    ),
];

const FUNCTIONS: &[&str] = &["vfs_open", "vfs_read", "vfs_write", "tcp_sendmsg", "do_nanosleep"];

/// The node.
pub fn target() -> Target {
    Target {
        arch: Arch::X86_64,
        features: Features::all(),
        complete: true,
        btf: None,
        tracepoints: TRACEPOINTS
            .iter()
            .zip(1..)
            .map(|((name, fields), id)| ((*name).to_owned(), Some(format(id, fields))))
            .collect(),
        functions: FUNCTIONS.iter().map(|name| ((*name).to_owned(), None)).collect(),
        kernel_symbols: BTreeMap::new(),
        cpus: 2,
    }
}

fn format(id: u32, fields: &[(&str, &str, u32, u32, bool)]) -> TracepointFormat {
    let field = |(ty, name, offset, size, signed): &(&str, &str, u32, u32, bool)| TracepointField {
        name: (*name).to_owned(),
        ty: (*ty).to_owned(),
        offset: *offset,
        size: *size,
        signed: *signed,
    };
    TracepointFormat { id, fields: fields.iter().map(field).collect() }
}
