//! What fentry and fexit have in common where they are about programs that are loaded into the kernel: `bpf:name`, `bpf:id:name`.
//!
//! Such a program, and each function it calls, is attached to by the types it was loaded with.

use std::rc::Rc;

use crate::ast::AttachPoint;
use crate::compiled::Attach;
use crate::diagnostic::Diagnostic;
use crate::expand::{Context, Expand, Function};
use crate::needs::{Needs, ProgramPattern};
use crate::target::{ProgramFunction, TypesOf};

/// Whether an attach point is about a loaded program.
pub fn is_meant(point: &AttachPoint) -> bool {
    matches!(point.parts.as_slice(), [first, _] | [first, _, _] if first.node == "bpf")
}

/// Notes the programs an attach point stands for.
pub fn needs(point: &AttachPoint, needs: &mut Needs) {
    let parts: Vec<String> = point.parts.iter().map(|part| part.node.clone()).collect();
    needs.program_functions.extend(pattern(&parts));
}

/// `bpf:name` or `bpf:id:name`; `*` in place of the id is any.
fn pattern(parts: &[String]) -> Option<ProgramPattern> {
    match parts {
        [_, name] => Some(ProgramPattern { program: None, name: name.clone() }),
        [_, id, name] if id == "*" => Some(ProgramPattern { program: None, name: name.clone() }),
        [_, id, name] => Some(ProgramPattern { program: Some(id.parse().ok()?), name: name.clone() }),
        _ => None,
    }
}

/// Adds the functions an attach point stands for.
pub fn expand(expand: &mut Expand<'_>, point: &AttachPoint, provider: &str, ret: bool) {
    let parts: Vec<String> = (0..point.parts.len()).filter_map(|index| expand.part(point, index)).collect();
    let Some(pattern) = pattern(&parts) else {
        return expand.malformed(point, &format!("{provider}:bpf:program or {provider}:bpf:id:program"));
    };
    let target = expand.target;
    if !target.complete {
        let any = ProgramFunction { program: 0, name: pattern.name, ty: bpf::btf::TypeId::VOID };
        return site(expand, provider, &any, ret);
    }
    let found = target.program_functions.iter().filter(|function| pattern.matches(function.program, &function.name));
    let found: Vec<&ProgramFunction> = found.collect();
    if found.is_empty() {
        let what = format!("{provider} {}", parts.join(":"));
        let help = format!(
            "only a program that was loaded with its types can be attached to; `bpfleet probes '{provider}:bpf:*'` lists those that run now"
        );
        return expand.missing(point, &what, &help);
    }
    if !target.features.fentry {
        let why = format!(
            "Unable to attach probe: {}: this node's kernel has no {provider}, or a lockdown forbids it",
            parts.join(":")
        );
        let help = "programs can be attached to in this way alone: kernel 5.5 or newer, with its types";
        return expand.report(Diagnostic::error("E0406", point.span, why).help(help));
    }
    for function in found {
        site(expand, provider, function, ret);
    }
}

fn site(expand: &mut Expand<'_>, provider: &str, function: &ProgramFunction, ret: bool) {
    let ProgramFunction { program, name, ty } = function;
    let source = expand.target.added_types.iter().position(|of| *of == TypesOf::Program(*program));
    let ty = match (source, expand.target.btf.as_deref()) {
        (Some(added), Some(btf)) => btf.among_all(added + 1, *ty),
        _ => *ty,
    };
    let shown = format!("{provider}:bpf:{program}:{name}");
    let context = Context::Function(Rc::new(Function { name: name.clone(), ty, ret }));
    expand.site(Attach::Function { function: format!("bpf:{program}:{name}"), ret }, shown, context);
}
