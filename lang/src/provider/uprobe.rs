//! `uprobe`: the entry of a function of a program or library, an instruction in it, or a line of its source.

use super::{Provider, user_function};

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "uprobe",
    aliases: &["u"],
    syntax: "uprobe:path:function[+offset], uprobe:path:address or uprobe:path@file:line[:column]",
    summary: "The entry of a function of a program or library, or the code of a line of its source; a function's arguments are `arg0`, `arg1` .., with debug information also `args.name`. A library may go by its short name, C++ functions by that of their source: `uprobe:path:cpp:\"name(int)\"`.",
    example: "uprobe:/bin/bash:readline { @ = count(); }",
    needs: |point, uses, needs| user_function::needs(point, uses.args, needs),
    expand: |expand, point| user_function::expand(expand, point, "uprobe", false),
};
