//! `is_unsigned_integer(value)`: whether a value is an integer without sign.

use super::Function;
use super::is_kind::is_kind;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "is_unsigned_integer",
    signature: "is_unsigned_integer(value)",
    summary: "Whether a value is an integer without sign; known when the script is compiled.",
    example: r#"begin { print(is_unsigned_integer(pid)); }"#,
    args: (1, 1),
    changes_system: false,
    check: |checker, call| is_kind(checker, call, |value| matches!(value.ty, Ty::Int { signed: false, .. })),
};
