//! What only the node can tell: names for its addresses, ids and clock.
//!
//! [`Symbols`] is implemented by the agent; [`NoSymbols`] answers with numbers, for tests and for values that never had
//! a node.

use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};

use crate::decode::TRUNCATION_TRAILER;
use crate::schema::StackType;

/// Resolves what a node's raw numbers stand for, at the moment of decoding. Answers are final text.
pub trait Symbols {
    /// The kernel symbol at an address, as `ksym()` prints it.
    fn ksym(&self, address: u64) -> String;

    /// The symbol at an address of a process, as `usym()` prints it.
    fn usym(&self, pid: u32, address: u64) -> String;

    /// The frames of a kernel stack, innermost first, each as its stack mode prints it but without indentation. `number` is
    /// the key of the map of stacks and is not negative.
    fn kernel_stack(&self, stack: &StackType, number: i64) -> Vec<String>;

    /// The frames of a process's user stack; as [`Symbols::kernel_stack`].
    fn user_stack(&self, stack: &StackType, number: i64, pid: u32) -> Vec<String>;

    /// The name of a user.
    fn username(&self, uid: u64) -> String;

    /// The path of a cgroup.
    fn cgroup_path(&self, id: u64) -> String;

    /// What is printed behind a string that fills its `size` bytes: nothing where that is all there was.
    fn trailer(&self, _size: u32) -> &str {
        TRUNCATION_TRAILER
    }

    /// The local wall-clock time so many nanoseconds after boot.
    fn wall_clock(&self, boot_nanos: u64) -> Zoned;
}

/// Knows no names: addresses and stack ids print as hexadecimal, other ids as numbers, and the machine booted in 1970.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSymbols;

impl Symbols for NoSymbols {
    fn ksym(&self, address: u64) -> String {
        format!("{address:#x}")
    }

    fn usym(&self, _pid: u32, address: u64) -> String {
        format!("{address:#x}")
    }

    fn kernel_stack(&self, _stack: &StackType, id: i64) -> Vec<String> {
        vec![format!("{id:#x}")]
    }

    fn user_stack(&self, _stack: &StackType, id: i64, _pid: u32) -> Vec<String> {
        vec![format!("{id:#x}")]
    }

    fn username(&self, uid: u64) -> String {
        uid.to_string()
    }

    fn cgroup_path(&self, id: u64) -> String {
        id.to_string()
    }

    fn wall_clock(&self, boot_nanos: u64) -> Zoned {
        after_boot(Timestamp::UNIX_EPOCH, boot_nanos).to_zoned(TimeZone::UTC)
    }
}

/// The moment so many nanoseconds after `boot`; `boot` itself where that lies beyond the calendar.
pub fn after_boot(boot: Timestamp, boot_nanos: u64) -> Timestamp {
    let elapsed = SignedDuration::from_nanos_i128(i128::from(boot_nanos));
    boot.checked_add(elapsed).unwrap_or(boot)
}
