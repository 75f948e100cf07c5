//! `watchpoint`: accesses to memory, as the processor's debug registers see them.

use super::{Provider, nothing, written};
use crate::compiled::{Access, Attach};
use crate::diagnostic::Diagnostic;
use crate::expand::{Context, Expand};

const SYNTAX: &str = "watchpoint:address:length:rwx";

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "watchpoint",
    aliases: &["w"],
    syntax: SYNTAX,
    summary: "Reads (`r`), writes (`w`) or execution (`x`) of memory at an address, of 1, 2, 4 or 8 bytes.",
    example: "watchpoint:0x10000000:8:w { @[comm] = count(); }",
    needs: nothing,
    expand: |expand, point| {
        let (Some(address), Some(length), Some(mode), 3) =
            (number(expand.part(point, 0)), number(expand.part(point, 1)), expand.part(point, 2), point.parts.len())
        else {
            return expand.malformed(point, SYNTAX);
        };
        let Some(access) = access(&mode) else {
            let message = format!("`{mode}` is no kind of access");
            return expand.report(
                Diagnostic::error("E0402", point.span, message)
                    .help("`r`, `w` or both in `rw`, or `x` alone, each at most once"),
            );
        };
        if !matches!(length, 1 | 2 | 4 | 8) {
            let message = format!("a watchpoint cannot be {length} bytes long");
            return expand.report(Diagnostic::error("E0402", point.span, message).help("1, 2, 4 or 8 bytes"));
        }
        if !address.is_multiple_of(length) {
            return unaligned(expand, point.span, length);
        }
        let name = written("watchpoint", expand, point);
        expand.site(Attach::Watchpoint { address, length, access }, name, Context::Overflow);
    },
};

fn number(text: Option<String>) -> Option<u64> {
    let text = text?;
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn access(mode: &str) -> Option<Access> {
    let mut access = Access::default();
    for c in mode.chars() {
        let flag = match c {
            'r' => &mut access.read,
            'w' => &mut access.write,
            'x' => &mut access.execute,
            _ => return None,
        };
        if std::mem::replace(flag, true) {
            return None;
        }
    }
    // The processor cannot watch execution and data with one register.
    let data = access.read || access.write;
    (data != access.execute).then_some(access)
}

fn unaligned(expand: &mut Expand<'_>, span: crate::span::Span, length: u64) {
    let message = format!("a watchpoint of {length} bytes begins at a multiple of {length}");
    expand.report(Diagnostic::error("E0402", span, message).help("watch fewer bytes, or several places"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_and_execution_are_watched_apart() {
        assert_eq!(access("rw"), Some(Access { read: true, write: true, execute: false }));
        assert_eq!(access("x"), Some(Access { read: false, write: false, execute: true }));
        for wrong in ["", "rx", "ww", "q"] {
            assert_eq!(access(wrong), None, "{wrong}");
        }
    }
}
