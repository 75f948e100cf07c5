//! What `kprobe` and `kretprobe` have in common: attach points that name kernel functions.

use crate::ast::AttachPoint;
use crate::diagnostic::Diagnostic;
use crate::expand::Expand;
use crate::needs::{FunctionPattern, Needs};

/// A kernel function and a place in it.
pub struct Place {
    /// Its name, without module.
    pub function: String,
    /// Bytes from its start.
    pub offset: u64,
}

/// Notes the functions an attach point stands for.
pub fn needs(point: &AttachPoint, needs: &mut Needs) {
    let pattern = match point.parts.as_slice() {
        [name] => split(&name.node).map(|(name, _)| FunctionPattern { module: None, name: name.to_owned() }),
        [module, name] => split(&name.node)
            .map(|(name, _)| FunctionPattern { module: Some(module.node.clone()), name: name.to_owned() }),
        _ => None,
    };
    needs.functions.extend(pattern);
}

/// The functions an attach point stands for; what is wrong with it has been reported when there is none.
pub fn places(expand: &mut Expand<'_>, point: &AttachPoint, provider: &str) -> Vec<Place> {
    let syntax = format!("{provider}:function or {provider}:module:function");
    let (module, last) = match point.parts.len() {
        1 => (None, expand.part(point, 0)),
        2 => (expand.part(point, 0), expand.part(point, 1)),
        _ => (None, None),
    };
    let Some((name, offset)) = last.as_deref().and_then(split) else {
        expand.malformed(point, &syntax);
        return vec![];
    };
    if expand.target.complete && !expand.target.features.kprobe {
        let message = "this node's kernel has no kprobes";
        expand.report(
            Diagnostic::error("E0406", point.provider.span, message)
                .help("a tracepoint may tell the same; CONFIG_KPROBES is off here"),
        );
        return vec![];
    }
    let pattern = FunctionPattern { module, name: name.to_owned() };
    let found: Vec<Place> = expand
        .target
        .functions
        .iter()
        .filter(|(name, module)| pattern.matches(module.as_deref(), name))
        .map(|(name, _)| Place { function: name.clone(), offset })
        .collect();
    if !found.is_empty() {
        return found;
    }
    if expand.target.complete {
        expand.missing(point.span, &format!("kernel function {name}"));
        return vec![];
    }
    vec![Place { function: name.to_owned(), offset }]
}

/// `name+offset` in its parts.
pub fn split(text: &str) -> Option<(&str, u64)> {
    let Some((name, offset)) = text.split_once('+') else { return (!text.is_empty()).then_some((text, 0)) };
    let offset = match offset.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => offset.parse().ok()?,
    };
    (!name.is_empty()).then_some((name, offset))
}
