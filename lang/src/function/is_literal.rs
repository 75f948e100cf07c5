//! `is_literal(value)`: whether a value is a constant.

use super::Function;
use super::is_kind::is_kind;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "is_literal",
    signature: "is_literal(value)",
    summary: "Whether a value is a constant; known when the script is compiled.",
    example: r#"begin { print(is_literal("text")); }"#,
    args: (1, 1),
    changes_system: false,
    check: |checker, call| is_kind(checker, call, |value| value.constant().is_some() || value.literal().is_some()),
};
