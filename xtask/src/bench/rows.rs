//! What is compared. Both tracers get the same text; it keeps to what bpftrace 0.17 understands.

/// The most that a startup figure of ours may be of bpftrace's.
pub const STARTUP_BAR: f64 = 0.1;
/// The most that the cost of an event may be of bpftrace's.
pub const EVENT_BAR: f64 = 0.7;

/// A script that ends at once: its whole process is measured.
pub struct StartupRow {
    pub title: &'static str,
    pub script: &'static str,
    /// It is measured this often at the most.
    pub rounds: u32,
}

pub const STARTUP_ROWS: [StartupRow; 3] = [
    StartupRow { title: "`BEGIN { exit(); }`", script: "BEGIN { exit(); }", rounds: u32::MAX },
    StartupRow {
        title: "`BEGIN { exit(); }` and syscalls counted by `comm`",
        script: "BEGIN { exit(); } tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }",
        rounds: u32::MAX,
    },
    StartupRow {
        title: "`BEGIN { exit(); }` and every `sys_enter_*` counted by `probe`, attached and detached, once",
        script: "BEGIN { exit(); } tracepoint:syscalls:sys_enter_* { @[probe] = count(); }",
        // bpftrace takes half a minute for it.
        rounds: 1,
    },
];

/// A body on `tracepoint:raw_syscalls:sys_enter`: what it adds to one syscall is measured.
pub struct EventRow {
    pub title: &'static str,
    pub script: &'static str,
    /// Whether the map's counts must add up to at least the workload's events.
    pub counts: bool,
}

pub const EVENT_ROWS: [EventRow; 5] = [
    EventRow {
        title: "false predicate: `/pid == 999999999/ { @ = count(); }`",
        script: "tracepoint:raw_syscalls:sys_enter /pid == 999999999/ { @ = count(); }",
        counts: false,
    },
    EventRow { title: "`@ = count()`", script: "tracepoint:raw_syscalls:sys_enter { @ = count(); }", counts: true },
    EventRow {
        title: "`@ = hist(args->id)`",
        script: "tracepoint:raw_syscalls:sys_enter { @ = hist(args->id); }",
        counts: true,
    },
    EventRow {
        title: "`@[comm] = count()`",
        script: "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }",
        counts: true,
    },
    EventRow {
        title: "`@[kstack] = count()`",
        script: "tracepoint:raw_syscalls:sys_enter { @[kstack] = count(); }",
        counts: true,
    },
];
