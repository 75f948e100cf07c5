//! `fexit`: the return of a kernel function, attached to by its types.

use super::{Provider, kernel_function};

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "fexit",
    aliases: &["fr", "kretfunc"],
    syntax: "fexit:function or fexit:module:function",
    summary: "The return of a kernel function, attached to by its types: arguments are in `args`, what it returns is `retval`.",
    example: "fexit:vfs_read { @bytes[args.count] = hist(retval); }",
    needs: |point, uses, needs| {
        needs.btf = true;
        kernel_function::needs(point, uses, needs);
    },
    expand: |expand, point| {
        let places = kernel_function::places(expand, point, "fexit");
        if places.iter().any(|place| place.offset != 0) {
            expand.malformed(point, "fexit:function");
        } else if !places.is_empty() {
            kernel_function::by_types(expand, point, "fexit", &places, true);
        }
    },
};
