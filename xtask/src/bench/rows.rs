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

/// A script whose cost per event is measured.
pub struct EventRow {
    pub title: &'static str,
    pub script: &'static str,
    pub cost: Cost,
}

/// What an event costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cost {
    /// What it adds to the workload, of which each block makes so many. Where `counts`, the map's counts must add up to at least
    /// the workload's.
    Added { per_block: f64, counts: bool },
    /// What the kernel charges the program for a run, more than it charges the idle one: for events so rare that the workload does
    /// not feel them.
    Program { idle: &'static str },
}

const SAMPLES: Cost = Cost::Program { idle: "profile:hz:4999 { }" };
/// Each block of the workload is a read and a write.
const SYSCALLS: Cost = Cost::Added { per_block: 2.0, counts: true };

pub const EVENT_ROWS: [EventRow; 9] = [
    EventRow {
        title: "false predicate: `/pid == 999999999/ { @ = count(); }`",
        script: "tracepoint:raw_syscalls:sys_enter /pid == 999999999/ { @ = count(); }",
        cost: Cost::Added { per_block: 2.0, counts: false },
    },
    EventRow { title: "`@ = count()`", script: "tracepoint:raw_syscalls:sys_enter { @ = count(); }", cost: SYSCALLS },
    EventRow {
        title: "`@ = hist(args->id)`",
        script: "tracepoint:raw_syscalls:sys_enter { @ = hist(args->id); }",
        cost: SYSCALLS,
    },
    EventRow {
        title: "`@[comm] = count()`",
        script: "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }",
        cost: SYSCALLS,
    },
    EventRow {
        title: "`@[kstack] = count()`",
        script: "tracepoint:raw_syscalls:sys_enter { @[kstack] = count(); }",
        cost: SYSCALLS,
    },
    EventRow {
        title: "`@[ustack] = count()`",
        script: "tracepoint:raw_syscalls:sys_enter { @[ustack] = count(); }",
        cost: SYSCALLS,
    },
    EventRow {
        title: "`uprobe:libc:read { @ = count(); }`",
        script: "uprobe:libc:read { @ = count(); }",
        cost: Cost::Added { per_block: 1.0, counts: true },
    },
    EventRow {
        title: "the program alone, `profile:hz:4999 { @ = count(); }`",
        script: "profile:hz:4999 { @ = count(); }",
        cost: SAMPLES,
    },
    EventRow {
        title: "the program alone, `profile:hz:4999 { @[kstack] = count(); }`",
        script: "profile:hz:4999 { @[kstack] = count(); }",
        cost: SAMPLES,
    },
];
