//! `signal_thread(number or name)`: sends a signal to the current thread.

use bpf::helper::Helper;

use super::Function;
use super::signal::send;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "signal_thread",
    signature: "signal_thread(int number) or signal_thread(const string name)",
    summary: "Sends a signal to the current thread.",
    example: r#"kprobe:vfs_read /comm == "runaway"/ { signal_thread("SIGSTOP"); }"#,
    args: (1, 1),
    changes_system: true,
    check: |checker, call| send(checker, call, "signal_thread", Helper::SendSignalThread),
};
