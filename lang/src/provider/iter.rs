//! `iter`: the kernel's objects of one kind, one after the other.

use super::Provider;
use crate::ast::AttachPoint;
use crate::compiled::Attach;
use crate::diagnostic::Diagnostic;
use crate::expand::{Context, Expand};
use crate::glob;
use crate::nearest::nearest;

const SYNTAX: &str = "iter:task, iter:task_file or iter:task_vma";

/// What can be walked through, and the first kernel for it: 5.8, 5.8 and 5.12.
pub const KINDS: [&str; 3] = ["task", "task_file", "task_vma"];

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "iter",
    aliases: &["it"],
    syntax: SYNTAX,
    summary: "Runs once for each task, each open file or each mapping of memory of each task, which is in `ctx`.",
    example: r#"iter:task { printf("%s %d\n", ctx.task.comm, ctx.task.pid); }"#,
    needs: |_, _, needs| needs.btf = true,
    expand,
};

fn expand(expand: &mut Expand<'_>, point: &AttachPoint) {
    let (Some(kind), 1) = (expand.part(point, 0), point.parts.len()) else {
        if point.parts.len() == 2 {
            let message = "pinned iterators are not supported: nothing is ever left behind in the kernel";
            return expand.report(Diagnostic::error("E0901", point.span, message));
        }
        return expand.malformed(point, SYNTAX);
    };
    let kinds: Vec<&str> = KINDS.into_iter().filter(|known| glob::matches(&kind, known)).collect();
    if kinds.is_empty() {
        let help = match nearest(&kind, KINDS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", KINDS.join(", ")),
        };
        let message = format!("nothing walks through `{kind}`");
        return expand.report(Diagnostic::error("E0401", point.span, message).help(help));
    }
    for kind in kinds {
        let record = format!("bpf_iter__{kind}");
        let known = expand.target.btf.as_ref().is_some_and(|btf| btf.find_func(&format!("bpf_iter_{kind}")).is_some());
        if expand.target.complete && !known {
            let help = "iterators need a kernel with types (CONFIG_DEBUG_INFO_BTF), 5.8 or newer; task_vma 5.12";
            expand.missing(point, &format!("iter {kind}"), help);
            continue;
        }
        expand.site(Attach::Iter { kind: kind.to_owned() }, format!("iter:{kind}"), Context::Iter { record });
    }
}
