//! `begin`: once, before the other probes attach.

use super::{Provider, nothing};
use crate::compiled::Attach;
use crate::expand::Context;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "begin",
    aliases: &[],
    syntax: "begin",
    summary: "Runs once, before the other probes are attached.",
    example: r#"begin { printf("hello\n"); }"#,
    needs: nothing,
    expand: |expand, point| {
        if point.parts.is_empty() {
            expand.site(Attach::Begin, "begin".into(), Context::Script);
        } else {
            expand.malformed(point, "begin");
        }
    },
};
