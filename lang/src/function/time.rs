//! `time(format)`: prints the time of day.

use report::schema::EventKind;

use super::Function;
use crate::hir::Expr;
use crate::lower::HEADER;

/// What is printed without a format.
const DEFAULT: &str = "%H:%M:%S\n";

/// See the module.
pub const FUNCTION: Function = Function {
    name: "time",
    signature: r#"time(const string format = "%H:%M:%S\n")"#,
    summary: "Prints the time of day, as strftime(3) formats it, at the moment user space reads the event.",
    example: r#"interval:s:1 { time("%H:%M\n"); }"#,
    args: (0, 1),
    changes_system: false,
    check: |checker, call| {
        let format = match call.args {
            [] => Some(DEFAULT.to_owned()),
            _ => checker.string_arg(call, 0),
        };
        let Some(format) = format else { return Expr::poison(call.span) };
        Expr::effect("time", call.span, move |lowerer| {
            lowerer.send(EventKind::Time { format: format.clone() }, HEADER, |_, _| {});
        })
    },
};
