//! Probes on the kernel's functions, tracepoints and iterators, with their arguments from the kernel's types.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ::bpf::btf::{Btf, Kind, Param, TypeId};
use lang::glob;

use super::{Query, has_kprobes};
use crate::target::{self, Function, TargetError};

/// How the kernel names what makes an iterator, and the struct an iterator's program is given.
const ITERATOR: &str = "bpf_iter_";
const ITERATOR_CONTEXT: &str = "bpf_iter__";

pub(super) fn tracepoints(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    let by_event = !query.rest.contains(':');
    for tracepoint in target::names()? {
        let Some((category, event)) = tracepoint.split_once(':') else { continue };
        let wanted = query.wants(&tracepoint) || by_event && query.wants(event);
        if !wanted {
            continue;
        }
        lines.push(format!("{name}:{tracepoint}"));
        if query.verbose
            && let Some(format) = target::format(category, event)?
        {
            lines.extend(format.fields.iter().map(|field| format!("    {}", declaration(&field.ty, &field.name))));
        }
    }
    Ok(())
}

/// A field as C declares it: an array's length stands behind the name.
fn declaration(ty: &str, name: &str) -> String {
    match ty.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        Some((element, length)) if !ty.starts_with("__data_loc") => format!("{element} {name}[{length}]"),
        _ => format!("{ty} {name}"),
    }
}

pub(super) fn raw_tracepoints(
    name: &'static str,
    query: &Query<'_>,
    lines: &mut Vec<String>,
) -> Result<(), TargetError> {
    let btf = target::kernel_types()?;
    let mut events: BTreeSet<String> = target::names()?.iter().filter_map(|name| raw_name(name)).collect();
    let typedefs: BTreeMap<&str, TypeId> = btf.iter().flat_map(|btf| btf.tracepoints()).collect();
    // Some tracepoints are made for raw programs only, and not told in tracefs.
    events.extend(typedefs.keys().map(|event| (*event).to_owned()));
    for event in events {
        let listed = format!("vmlinux:{event}");
        let typedef = typedefs.get(event.as_str());
        let typed = btf.as_ref().and_then(|btf| Some((btf, btf.tracepoint_params_of(*typedef?)?)));
        let wanted = query.wants(&event) || typed.is_some() && query.wants(&listed);
        if !wanted {
            continue;
        }
        match typed {
            Some((btf, params)) => {
                lines.push(format!("{name}:{listed}"));
                arguments(btf, params, query, lines);
            }
            // A module's: its types are not the kernel's.
            None => lines.push(format!("{name}:{event}")),
        }
    }
    Ok(())
}

/// The raw form of a tracepoint: system calls have theirs in `sys_enter` and `sys_exit` only.
fn raw_name(name: &str) -> Option<String> {
    let (category, event) = name.split_once(':')?;
    (category != "syscalls").then(|| event.to_owned())
}

/// kprobe and kretprobe: functions by their names alone.
pub(super) fn functions(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    if !query.named && !has_kprobes() {
        return Ok(());
    }
    let (module, pattern) = query.rest.split_once(':').unwrap_or(("", query.rest));
    let mut names: Vec<String> = matching(module, pattern)?.into_iter().map(|function| function.name).collect();
    names.sort_unstable();
    names.dedup();
    let btf = if query.verbose { target::kernel_types()? } else { None };
    let types = btf.as_deref().map(|btf| (function_ids(btf, 0), btf));
    for function in names {
        lines.push(format!("{name}:{function}"));
        if let Some((ids, btf)) = &types
            && let Some(id) = ids.get(function.as_str())
        {
            if name == "kprobe" {
                arguments(btf, btf.params(*id), query, lines);
            } else {
                result(btf, *id, lines);
            }
        }
    }
    Ok(())
}

/// fentry and fexit: functions of known types, with their modules; and those of programs that are loaded.
pub(super) fn typed_functions(
    name: &'static str,
    query: &Query<'_>,
    lines: &mut Vec<String>,
) -> Result<(), TargetError> {
    let Some(btf) = target::kernel_types()? else { return Ok(()) };
    let provider = if matches!(name, "fentry" | "kfunc") { "fentry" } else { "fexit" };
    let (module, pattern) = query.rest.split_once(':').unwrap_or(("", query.rest));
    let mut functions = if module == "bpf" { Vec::new() } else { matching(module, pattern)? };
    functions.sort_unstable();
    functions.dedup();
    // Sorted, those of a module stand together, the kernel's first.
    for of_module in functions.chunk_by(|one, other| one.module == other.module) {
        let module = of_module.first().and_then(|function| function.module.as_deref());
        let Some(types) = target::types_of(&btf, module) else { continue };
        let ids = function_ids(&types, usize::from(module.is_some()));
        for function in of_module {
            let Some(id) = ids.get(function.name.as_str()) else { continue };
            lines.push(format!("{provider}:{}:{}", module.unwrap_or("vmlinux"), function.name));
            described(&types, *id, provider, query, lines);
        }
    }
    if module.is_empty() || glob::matches(module, "bpf") {
        program_functions(provider, pattern, query, lines);
    }
    Ok(())
}

/// `bpf:id:name` of every function of the loaded programs that the pattern, a name or `id:name`, stands for.
fn program_functions(provider: &str, pattern: &str, query: &Query<'_>, lines: &mut Vec<String>) {
    for program in target::programs() {
        let Ok(types) = Btf::parse(program.types) else { continue };
        let wanted = |name: &str| match pattern.split_once(':') {
            Some((id, pattern)) => glob::matches(id, &program.id.to_string()) && glob::matches(pattern, name),
            None => pattern.is_empty() || glob::matches(pattern, name),
        };
        for function in program.functions.iter().filter(|function| wanted(&function.name)) {
            lines.push(format!("{provider}:bpf:{}:{}", program.id, function.name));
            described(&types, function.ty, provider, query, lines);
        }
    }
}

/// The arguments of a function, and what it returns where that can be seen.
fn described(btf: &Btf, function: TypeId, provider: &str, query: &Query<'_>, lines: &mut Vec<String>) {
    arguments(btf, btf.params(function), query, lines);
    if query.verbose && provider == "fexit" {
        result(btf, function, lines);
    }
}

fn matching(module: &str, pattern: &str) -> Result<Vec<Function>, TargetError> {
    let in_module = |found: Option<&str>| module.is_empty() || glob::matches(module, found.unwrap_or("vmlinux"));
    let mut functions = target::functions()?;
    functions.retain(|function| {
        // Parts of functions the compiler has split off cannot be probed.
        in_module(function.module.as_deref())
            && (pattern.is_empty() || glob::matches(pattern, &function.name))
            && !function.name.contains(".part.")
    });
    Ok(functions)
}

/// Every function of a source whose type is known.
fn function_ids(btf: &Btf, source: usize) -> HashMap<&str, TypeId> {
    btf.iter(Kind::Func).filter(|(id, _)| btf.origin(*id).0 == source).map(|(id, name)| (name, id)).collect()
}

pub(super) fn iterators(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    let Some(btf) = target::kernel_types()? else { return Ok(()) };
    let contexts: BTreeMap<&str, TypeId> =
        btf.iter(Kind::Struct).filter_map(|(id, name)| Some((name.strip_prefix(ITERATOR_CONTEXT)?, id))).collect();
    let names: BTreeMap<&str, TypeId> = btf
        .iter(Kind::Func)
        .filter_map(|(_, name)| name.strip_prefix(ITERATOR))
        .filter(|name| query.wants(name))
        .filter_map(|name| contexts.get_key_value(name).map(|(name, context)| (*name, *context)))
        .collect();
    for (iterator, context) in names {
        lines.push(format!("{name}:{iterator}"));
        let context = query.verbose.then_some(context);
        for member in context.into_iter().flat_map(|context| btf.named_members(context)) {
            if member.name != "meta" {
                lines.push(format!("    {}", btf.declaration(member.ty, member.name)));
            }
        }
    }
    Ok(())
}

fn arguments<'a>(
    btf: &'a Btf,
    params: impl IntoIterator<Item = Param<'a>>,
    query: &Query<'_>,
    lines: &mut Vec<String>,
) {
    if query.verbose {
        lines.extend(params.into_iter().map(|param| format!("    {}", btf.declaration(param.ty, param.name))));
    }
}

fn result(btf: &Btf, function: TypeId, lines: &mut Vec<String>) {
    if let Some(::bpf::btf::Type::Func { proto, .. }) = btf.ty(function)
        && let Some(::bpf::btf::Type::FuncProto { result }) = btf.ty(proto)
        && result != TypeId::VOID
    {
        lines.push(format!("    {}", btf.declaration(result, "retval")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_declared_as_in_c() {
        assert_eq!(declaration("char[16]", "comm"), "char comm[16]");
        assert_eq!(declaration("const char *", "filename"), "const char * filename");
        assert_eq!(declaration("__data_loc char[]", "name"), "__data_loc char[] name");
    }
}
