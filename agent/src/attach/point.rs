//! Attach points as a script writes them, for messages.

use lang::compiled::{Access, Attach, SampleRate};

/// The attach point as a script writes it.
pub fn describe(point: &Attach) -> String {
    match point {
        Attach::Begin => "BEGIN".to_owned(),
        Attach::End => "END".to_owned(),
        Attach::Trial { name } => name.clone(),
        Attach::Signal { number } => format!("self:signal:{number}"),
        Attach::Tracepoint { category, event } => format!("tracepoint:{category}:{event}"),
        Attach::RawTracepoint { event } => format!("rawtracepoint:{event}"),
        Attach::Syscalls { exit: false, .. } => "tracepoint:syscalls:sys_enter_*".to_owned(),
        Attach::Syscalls { exit: true, .. } => "tracepoint:syscalls:sys_exit_*".to_owned(),
        Attach::Kprobe { function, offset: 0 } => format!("kprobe:{function}"),
        Attach::Kprobe { function, offset } => format!("kprobe:{function}+{offset}"),
        Attach::Kretprobe { function } => format!("kretprobe:{function}"),
        Attach::Function { function, ret: false } => format!("fentry:{function}"),
        Attach::Function { function, ret: true } => format!("fexit:{function}"),
        Attach::Uprobe { path, function, ret, .. } => {
            format!("{}:{path}:{function}", if *ret { "uretprobe" } else { "uprobe" })
        }
        Attach::Interval { nanoseconds } => format!("interval:{nanoseconds}ns"),
        Attach::Profile(SampleRate::Hertz(hertz)) => format!("profile:hz:{hertz}"),
        Attach::Profile(SampleRate::Nanoseconds(period)) => format!("profile:{period}ns"),
        Attach::Software { event, period } => format!("software:{event}:{period}"),
        Attach::Hardware { event, period } => format!("hardware:{event}:{period}"),
        Attach::Watchpoint { address, length, access: Access { read, write, execute } } => {
            let letters = [(*read, 'r'), (*write, 'w'), (*execute, 'x')];
            let mode: String = letters.into_iter().filter_map(|(set, letter)| set.then_some(letter)).collect();
            format!("watchpoint:{address:#x}:{length}:{mode}")
        }
        Attach::Iter { kind } => format!("iter:{kind}"),
    }
}
