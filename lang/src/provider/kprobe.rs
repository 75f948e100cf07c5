//! `kprobe`: the entry of a kernel function, or an instruction in it.

use super::{Provider, kernel_function};
use crate::compiled::Attach;
use crate::expand::Context;
use crate::types::Space;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "kprobe",
    aliases: &["k"],
    syntax: "kprobe:function[+offset] or kprobe:module:function",
    summary: "The entry of a kernel function; its arguments are `arg0`, `arg1` ..",
    example: "kprobe:vfs_read { @start[tid] = nsecs; }",
    needs: |point, _, needs| kernel_function::needs(point, needs),
    expand: |expand, point| {
        for place in kernel_function::places(expand, point, "kprobe") {
            let name = match place.offset {
                0 => format!("kprobe:{}", place.function),
                offset => format!("kprobe:{}+{offset}", place.function),
            };
            let attach = Attach::Kprobe { function: place.function, offset: place.offset };
            expand.site(attach, name, Context::Entry { space: Space::Kernel });
        }
    },
};
