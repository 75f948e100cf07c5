//! `uretprobe`: the return of a function of a program or library.

use super::{Provider, user_function};

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "uretprobe",
    aliases: &["ur"],
    syntax: "uretprobe:path:function",
    summary: "The return of a function of a program or library; what it returns is `retval`.",
    example: r#"uretprobe:/bin/bash:readline { printf("%s\n", str(retval)); }"#,
    needs: |point, _, needs| user_function::needs(point, false, needs),
    expand: |expand, point| user_function::expand(expand, point, "uretprobe", true),
};
