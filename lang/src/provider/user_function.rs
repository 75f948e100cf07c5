//! What `uprobe` and `uretprobe` have in common: attach points that name functions of programs and libraries.

use super::kernel_function::split;
use crate::ast::AttachPoint;
use crate::compiled::Attach;
use crate::diagnostic::Diagnostic;
use crate::expand::Expand;
use crate::glob;

/// The place an attach point stands for, and its name; what is wrong with it has been reported when there is none.
pub fn place(expand: &mut Expand<'_>, point: &AttachPoint, provider: &str, ret: bool) -> Option<(Attach, String)> {
    let (Some(path), Some(function), 2) = (expand.part(point, 0), expand.part(point, 1), point.parts.len()) else {
        expand.malformed(point, &format!("{provider}:path:function"));
        return None;
    };
    if glob::is_pattern(&path) || glob::is_pattern(&function) {
        let message = format!("wildcards in a {provider} are not supported yet");
        expand.report(Diagnostic::error("E0901", point.span, message));
        return None;
    }
    let name = format!("{provider}:{path}:{function}");
    let address = match function.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => function.parse().ok(),
    };
    if let Some(offset) = address {
        return Some((Attach::Uprobe { path, function: None, offset, ret }, name));
    }
    let Some((function, offset)) = split(&function) else {
        expand.malformed(point, &format!("{provider}:path:function"));
        return None;
    };
    Some((Attach::Uprobe { path, function: Some(function.to_owned()), offset, ret }, name))
}
