//! `kprobe`: the entry of a kernel function, or an instruction in it.

use super::{Provider, kernel_function};

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "kprobe",
    aliases: &["k"],
    syntax: "kprobe:function[+offset] or kprobe:module:function",
    summary: "The entry of a kernel function; its arguments are `arg0`, `arg1` ..",
    example: "kprobe:vfs_read { @start[tid] = nsecs; }",
    needs: |point, uses, needs| kernel_function::needs(point, uses, needs),
    expand: |expand, point| {
        let places = kernel_function::places(expand, point, "kprobe");
        if !places.is_empty() {
            kernel_function::by_address(expand, point, "kprobe", &places, false);
        }
    },
};
