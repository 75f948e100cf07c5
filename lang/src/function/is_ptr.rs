//! `is_ptr(value)`: whether a value is a pointer.

use super::Function;
use super::is_kind::is_kind;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "is_ptr",
    signature: "is_ptr(value)",
    summary: "Whether a value is a pointer; known when the script is compiled.",
    example: r#"begin { print(is_ptr(curtask)); }"#,
    args: (1, 1),
    changes_system: false,
    check: |checker, call| is_kind(checker, call, |value| matches!(value.ty, Ty::Pointer { .. })),
};
