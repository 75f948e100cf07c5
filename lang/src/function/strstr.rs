//! `strstr(haystack, needle)`: where a string first stands in another.

use report::raw;

use super::Function;
use super::text::text_arg;
use crate::check::{Call, Checker};
use crate::hir::{Expr, Turns};
use crate::ir::{Cmp, Operand};
use crate::types::{I64, Ty};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "strstr",
    signature: "strstr(string haystack, string needle)",
    summary: "Where `needle` first stands in `haystack`, counted in bytes from 0; -1 where it does not.",
    example: r#"begin { print(strstr("hello world", "world")); }"#,
    args: (2, 2),
    changes_system: false,
    check: |checker, call| match search(checker, call) {
        None => Expr::poison(call.span),
        Some(Search::Known(at)) => Expr { ty: I64, ..Expr::int(at, call.span) },
        Some(Search::Open { haystack, needle, turns }) => {
            Expr::scalar("strstr", I64, call.span, move |lowerer| lowerer.search(&haystack, &needle, turns))
        }
    },
};

/// A search, as far as it is known now.
enum Search {
    Known(i64),
    Open { haystack: Expr, needle: Expr, turns: Turns },
}

fn search(checker: &mut Checker<'_>, call: &Call<'_>) -> Option<Search> {
    let haystack = text_arg(checker, call, 0);
    let needle = text_arg(checker, call, 1);
    let (haystack, needle) = (haystack?, needle?);
    if let (Some(haystack), Some(needle)) = (haystack.literal(), needle.literal()) {
        let at = haystack.find(needle).and_then(|at| haystack.get(..at));
        let at = at.and_then(|before| i64::try_from(raw::bytes(before).len()).ok());
        return Some(Search::Known(at.unwrap_or(-1)));
    }
    let words = match needle.literal() {
        Some(text) => raw::bytes(text).len().div_ceil(8) as u32,
        None => needle.ty.layout().size.div_ceil(8),
    };
    let turns = checker.steps(haystack.ty.layout().size, words.max(1), call.span)?;
    Some(Search::Open { haystack, needle, turns })
}

/// Whether the first argument contains the second.
pub fn contains(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    match search(checker, call) {
        None => Expr::poison(call.span),
        Some(Search::Known(at)) => Expr { ty: Ty::Bool, ..Expr::int(i64::from(at >= 0), call.span) },
        Some(Search::Open { haystack, needle, turns }) => {
            Expr::scalar("strcontains", Ty::Bool, call.span, move |lowerer| {
                let at = lowerer.search(&haystack, &needle, turns);
                Operand::from(lowerer.b.set(Cmp::SGe, at, 0))
            })
        }
    }
}
