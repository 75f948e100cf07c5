//! `is_array(value)`: whether a value is an array.

use super::Function;
use super::is_kind::is_kind;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "is_array",
    signature: "is_array(value)",
    summary: "Whether a value is an array; known when the script is compiled.",
    example: r#"begin { print(is_array(pton("::1"))); }"#,
    args: (1, 1),
    changes_system: false,
    check: |checker, call| is_kind(checker, call, |value| matches!(value.ty, Ty::Array { .. })),
};
