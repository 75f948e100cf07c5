//! `is_integer(value)`: whether a value is an integer.

use super::Function;
use super::is_kind::is_kind;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "is_integer",
    signature: "is_integer(value)",
    summary: "Whether a value is an integer; known when the script is compiled.",
    example: r#"begin { print(is_integer(pid)); }"#,
    args: (1, 1),
    changes_system: false,
    check: |checker, call| is_kind(checker, call, |value| matches!(value.ty, Ty::Int { .. })),
};
