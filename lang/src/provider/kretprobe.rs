//! `kretprobe`: the return of a kernel function.

use super::{Provider, kernel_function};

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "kretprobe",
    aliases: &["kr"],
    syntax: "kretprobe:function or kretprobe:module:function",
    summary: "The return of a kernel function; what it returns is `retval`.",
    example: "kretprobe:vfs_read { @bytes = lhist(retval, 0, 2000, 200); }",
    needs: |point, uses, needs| kernel_function::needs(point, uses, needs),
    expand: |expand, point| {
        let places = kernel_function::places(expand, point, "kretprobe");
        if places.iter().any(|place| place.offset != 0) {
            expand.malformed(point, "kretprobe:function");
        } else if !places.is_empty() {
            kernel_function::by_address(expand, point, "kretprobe", &places, true);
        }
    },
};
