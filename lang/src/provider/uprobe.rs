//! `uprobe`: the entry of a function of a program or library, or an instruction in it.

use super::{Provider, user_function};

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "uprobe",
    aliases: &["u"],
    syntax: "uprobe:path:function[+offset] or uprobe:path:address",
    summary: "The entry of a function of a program or library; its arguments are `arg0`, `arg1` .. A library may go by its short name, C++ functions by that of their source: `uprobe:path:cpp:\"name(int)\"`.",
    example: "uprobe:/bin/bash:readline { @ = count(); }",
    needs: |point, _, needs| user_function::needs(point, needs),
    expand: |expand, point| user_function::expand(expand, point, "uprobe", false),
};
