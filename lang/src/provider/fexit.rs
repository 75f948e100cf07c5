//! `fexit`: the return of a kernel function, attached to by its types.

use super::{Provider, kernel_function, program_function};

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "fexit",
    aliases: &["fr", "kretfunc"],
    syntax: "fexit:function, fexit:module:function or fexit:bpf[:id]:program",
    summary: "The return of a kernel function, attached to by its types: arguments are in `args`, what it returns is `retval`.",
    example: "fexit:vfs_read { @bytes[args.count] = hist(retval); }",
    needs: |point, uses, needs| {
        needs.btf = true;
        if program_function::is_meant(point) {
            return program_function::needs(point, needs);
        }
        kernel_function::needs(point, uses, needs);
    },
    expand: |expand, point| {
        if program_function::is_meant(point) {
            return program_function::expand(expand, point, "fexit", true);
        }
        let places = kernel_function::places(expand, point, "fexit");
        if places.iter().any(|place| place.offset != 0) {
            expand.malformed(point, "fexit:function");
        } else if !places.is_empty() {
            kernel_function::by_types(expand, point, "fexit", &places, true);
        }
    },
};
