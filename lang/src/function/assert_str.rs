//! `assert_str(value)`: refuses the script where a value is not like a string.

use super::Function;
use crate::diagnostic::Diagnostic;
use crate::hir::Expr;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "assert_str",
    signature: "assert_str(value)",
    summary: "Refuses the script where a value is neither a string nor characters: an array of `int8`, or a pointer to them.",
    example: "macro shout(text) { assert_str(text); printf(\"%s!\\n\", str(text)); } begin { shout(\"hey\"); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let Some(arg) = call.args.first() else { return Expr::poison(call.span) };
        let ty = checker.expr(arg).ty;
        let is_character = |ty: &Ty| matches!(ty, Ty::Int { bytes: 1, signed: true } | Ty::Str { .. });
        let fits = match &ty {
            Ty::Str { .. } => true,
            Ty::Array { element, .. } => is_character(element),
            Ty::Pointer { to, .. } => is_character(to),
            ty => ty.is_unknown(),
        };
        if !fits && !checker.is_dead() {
            let message = format!("`{ty}` is not like a string");
            checker.report(
                Diagnostic::error("E0504", arg.span, message)
                    .help("a string, an array of `int8` or a pointer to `int8` is"),
            );
        }
        Expr::effect("assert_str", call.span, |_| {})
    },
};
