//! `warnf(format, values ..)`: prints a warning.

use report::schema::{EventKind, PrintfTo};

use super::Function;
use super::format::formatted;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "warnf",
    signature: "warnf(const string format, ...)",
    summary: "Prints a warning with the place of the call in the script, formatted as `printf` does.",
    example: r#"begin { warnf("no process %d", 5); }"#,
    args: (1, usize::MAX),
    changes_system: false,
    check: |checker, call| {
        let expanded_from = checker.expanded_from(call.span);
        formatted(checker, call, "warnf", move |lowerer, format, args| EventKind::Printf {
            to: PrintfTo::Warning(lowerer.call_site(expanded_from)),
            format,
            args,
        })
    },
};
