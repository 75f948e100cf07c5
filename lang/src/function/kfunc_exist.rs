//! `kfunc_exist(name)`: whether the kernel has a function.

use super::Function;
use super::kernel_function::is_known;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "kfunc_exist",
    signature: "kfunc_exist(const string name)",
    summary: "Whether the kernel's types tell of a function by this name; known when the script is compiled.",
    example: r#"begin { if (kfunc_exist("vfs_read")) { print("yes"); } }"#,
    args: (1, 1),
    changes_system: false,
    check: is_known,
};
