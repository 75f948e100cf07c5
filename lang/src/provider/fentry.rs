//! `fentry`: the entry of a kernel function, attached to by its types.

use super::{Provider, kernel_function, program_function};

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "fentry",
    aliases: &["f", "kfunc"],
    syntax: "fentry:function, fentry:module:function or fentry:bpf[:id]:program",
    summary: "The entry of a kernel function, attached to by its types: its arguments are in `args` by their names.",
    example: "fentry:vfs_read { @size[args.count] = count(); }",
    needs: |point, uses, needs| {
        needs.btf = true;
        if program_function::is_meant(point) {
            return program_function::needs(point, needs);
        }
        kernel_function::needs(point, uses, needs);
    },
    expand: |expand, point| {
        if program_function::is_meant(point) {
            return program_function::expand(expand, point, "fentry", false);
        }
        let places = kernel_function::places(expand, point, "fentry");
        if places.iter().any(|place| place.offset != 0) {
            expand.malformed(point, "fentry:function");
        } else if !places.is_empty() {
            kernel_function::by_types(expand, point, "fentry", &places, false);
        }
    },
};
