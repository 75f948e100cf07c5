//! `signal(number or name)`: sends a signal to the current process.

use bpf::helper::Helper;

use super::Function;
use crate::ast::ExprKind;
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::nearest::nearest;

/// Signals by their numbers on x86-64 and aarch64, from 1 on.
pub const SIGNALS: &[&str] = &[
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// The largest number of a signal.
const MOST: i64 = 64;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "signal",
    signature: "signal(int number) or signal(const string name)",
    summary: "Sends a signal to the current process.",
    example: r#"kprobe:vfs_read /comm == "runaway"/ { signal("SIGSTOP"); }"#,
    args: (1, 1),
    changes_system: true,
    check: |checker, call| send(checker, call, "signal", Helper::SendSignal),
};

/// Checks a call that sends a signal by way of `helper`.
pub fn send(checker: &mut Checker<'_>, call: &Call<'_>, name: &'static str, helper: Helper) -> Expr {
    let Some(arg) = call.args.first() else { return Expr::poison(call.span) };
    let number = match &arg.node {
        ExprKind::Str(text) => match by_name(text) {
            Some(number) => Expr::int(number, arg.span),
            None => return unknown(checker, text, call),
        },
        _ => checker.integer_arg(call, 0),
    };
    if number.constant().is_some_and(|number| !(1..=MOST).contains(&number)) {
        return checker.error("E0519", arg.span, format!("signals are numbered from 1 to {MOST}"));
    }
    Expr::effect(name, call.span, move |lowerer| {
        let number = lowerer.scalar(&number);
        lowerer.b.call_void(helper, &[number]);
    })
}

fn by_name(name: &str) -> Option<i64> {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    (1i64..).zip(SIGNALS).find(|(_, known)| known.strip_prefix("SIG") == Some(name)).map(|(number, _)| number)
}

fn unknown(checker: &mut Checker<'_>, name: &str, call: &Call<'_>) -> Expr {
    let finding = crate::diagnostic::Diagnostic::error("E0519", call.span, format!("no signal is called `{name}`"));
    checker.report(match nearest(name, SIGNALS.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding,
    });
    Expr::poison(call.span)
}
