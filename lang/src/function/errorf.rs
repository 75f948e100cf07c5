//! `errorf(format, values ..)`: prints an error message.

use report::schema::{EventKind, PrintfTo};

use super::Function;
use super::format::formatted;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "errorf",
    signature: "errorf(const string format, ...)",
    summary: "Prints an error message with the place of the call in the script, formatted as `printf` does.",
    example: r#"begin { errorf("no process %d", 5); }"#,
    args: (1, usize::MAX),
    changes_system: false,
    check: |checker, call| {
        let expanded_from = checker.expanded_from(call.span);
        formatted(checker, call, "errorf", move |lowerer, format, args| EventKind::Printf {
            to: PrintfTo::Error(lowerer.call_site(expanded_from)),
            format,
            args,
        })
    },
};
