//! Bounds of the resource and of the messages, in one place: the schema, the operator and the agent use the same.

use std::time::Duration;

/// Most bytes of a script.
pub const SCRIPT_BYTES: usize = 64 * 1024;
/// Most positional and named arguments of a script.
pub const ARGS: usize = 64;
/// Most bytes of one argument.
pub const ARG_BYTES: usize = 4096;

/// Longest time box.
pub const DURATION_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Shortest time box.
pub const DURATION_MIN: Duration = Duration::from_secs(1);
/// The time box of a job that names none.
pub const DURATION_DEFAULT: Duration = Duration::from_secs(60);

/// Elements a map holds on one node when the job does not say.
pub const MAP_ENTRIES_DEFAULT: u32 = 4096;
/// Most elements a map may hold on one node.
pub const MAP_ENTRIES_MAX: u32 = 1 << 16;
/// Output lines one node may send for one job when the job does not say.
pub const OUTPUT_LINES_DEFAULT: u32 = 1000;
/// Most output lines one node may send for one job.
pub const OUTPUT_LINES_MAX: u32 = 100_000;
/// Series of one job at `/metrics` when the job does not say.
pub const SERIES_DEFAULT: u32 = 500;
/// Most series of one job at `/metrics`.
pub const SERIES_MAX: u32 = 10_000;

/// Most failures listed in a status.
pub const STATUS_FAILURES: usize = 50;
/// Most maps listed in a status.
pub const STATUS_MAPS: usize = 32;
/// Most entries of one map in a status.
pub const STATUS_ENTRIES: usize = 32;
/// Most entries of all maps together in a status.
pub const STATUS_ENTRIES_ALL: usize = 128;
/// Most bytes of all maps together in a status, as JSON.
pub const STATUS_MAPS_BYTES: usize = 128 * 1024;
/// Most components of a key in a status.
pub const STATUS_KEY_PARTS: usize = 16;
/// Most buckets of one histogram in a status.
pub const STATUS_BUCKETS: usize = 256;
/// Most bytes of the rendered text in a status.
pub const STATUS_TEXT_BYTES: usize = 32 * 1024;
/// Most output lines in a status.
pub const STATUS_OUTPUT: usize = 50;
/// Most bytes of a message or an output line in a status.
pub const STATUS_LINE_BYTES: usize = 4096;

/// Most bytes of one report's body.
pub const REPORT_BYTES: usize = 64 * 1024 * 1024;
/// Most output lines of one report.
pub const REPORT_LINES: usize = 1000;
/// How often the operator writes on an assignment stream when nothing changes.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// The audience that an agent's token must be made for.
pub const TOKEN_AUDIENCE: &str = "bpfleet-operator";
