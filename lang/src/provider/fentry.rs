//! `fentry`: the entry of a kernel function, attached to by its types.

use super::{Provider, kernel_function};

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "fentry",
    aliases: &["f", "kfunc"],
    syntax: "fentry:function or fentry:module:function",
    summary: "The entry of a kernel function, attached to by its types: its arguments are in `args` by their names.",
    example: "fentry:vfs_read { @size[args.count] = count(); }",
    needs: |point, uses, needs| {
        needs.btf = true;
        kernel_function::needs(point, uses, needs);
    },
    expand: |expand, point| {
        let places = kernel_function::places(expand, point, "fentry");
        if places.iter().any(|place| place.offset != 0) {
            expand.malformed(point, "fentry:function");
        } else if !places.is_empty() {
            kernel_function::by_types(expand, point, "fentry", &places, false);
        }
    },
};
