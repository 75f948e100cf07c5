//! `kretprobe`: the return of a kernel function.

use super::{Provider, kernel_function};
use crate::compiled::Attach;
use crate::expand::Context;
use crate::types::Space;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "kretprobe",
    aliases: &["kr"],
    syntax: "kretprobe:function or kretprobe:module:function",
    summary: "The return of a kernel function; what it returns is `retval`.",
    example: "kretprobe:vfs_read { @bytes = lhist(retval, 0, 2000, 200); }",
    needs: |point, _, needs| kernel_function::needs(point, needs),
    expand: |expand, point| {
        for place in kernel_function::places(expand, point, "kretprobe") {
            if place.offset != 0 {
                return expand.malformed(point, "kretprobe:function");
            }
            let name = format!("kretprobe:{}", place.function);
            expand.site(Attach::Kretprobe { function: place.function }, name, Context::Return { space: Space::Kernel });
        }
    },
};
