//! `printf(format, values ..)`: prints text.

use report::schema::{EventKind, PrintfTo};

use super::Function;
use super::format::formatted;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "printf",
    signature: "printf(const string format, ...)",
    summary: "Prints its arguments as printf(3) formats them.",
    example: r#"begin { printf("%s %d\n", comm, pid); }"#,
    args: (1, usize::MAX),
    changes_system: false,
    check: |checker, call| {
        formatted(checker, call, "printf", |_, format, args| EventKind::Printf { to: PrintfTo::Output, format, args })
    },
};
