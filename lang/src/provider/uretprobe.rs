//! `uretprobe`: the return of a function of a program or library.

use super::{Provider, nothing, user_function};
use crate::expand::Context;
use crate::types::Space;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "uretprobe",
    aliases: &["ur"],
    syntax: "uretprobe:path:function",
    summary: "The return of a function of a program or library; what it returns is `retval`.",
    example: r#"uretprobe:/bin/bash:readline { printf("%s\n", str(retval)); }"#,
    needs: nothing,
    expand: |expand, point| {
        if let Some((attach, name)) = user_function::place(expand, point, "uretprobe", true) {
            expand.site(attach, name, Context::Return { space: Space::User });
        }
    },
};
