//! `uprobe`: the entry of a function of a program or library.

use super::{Provider, nothing, user_function};
use crate::expand::Context;
use crate::types::Space;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "uprobe",
    aliases: &["u"],
    syntax: "uprobe:path:function[+offset] or uprobe:path:offset",
    summary: "The entry of a function of a program or library; its arguments are `arg0`, `arg1` ..",
    example: "uprobe:/bin/bash:readline { @ = count(); }",
    needs: nothing,
    expand: |expand, point| {
        if let Some((attach, name)) = user_function::place(expand, point, "uprobe", false) {
            expand.site(attach, name, Context::Entry { space: Space::User });
        }
    },
};
