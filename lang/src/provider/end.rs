//! `end`: once, after the other probes have been detached.

use super::{Provider, nothing};
use crate::compiled::Attach;
use crate::expand::Context;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "end",
    aliases: &[],
    syntax: "end",
    summary: "Runs once, after the other probes have been detached.",
    example: r#"end { printf("bye\n"); }"#,
    needs: nothing,
    expand: |expand, point| {
        if point.parts.is_empty() {
            expand.site(Attach::End, "end".into(), Context::Script);
        } else {
            expand.malformed(point, "end");
        }
    },
};
