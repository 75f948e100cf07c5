//! `is_str(value)`: whether a value is a string.

use super::Function;
use super::is_kind::is_kind;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "is_str",
    signature: "is_str(value)",
    summary: "Whether a value is a string; known when the script is compiled.",
    example: r#"begin { print(is_str(comm)); }"#,
    args: (1, 1),
    changes_system: false,
    check: |checker, call| is_kind(checker, call, |value| matches!(value.ty, Ty::Str { .. })),
};
