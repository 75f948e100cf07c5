//! `reg(name)`: a register of the CPU.

use super::Function;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::types::U64;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "reg",
    signature: "reg(const string name)",
    summary: "What a register of the CPU held, by the name the architecture gives it: `ip`, `sp`, `ax` ..",
    example: r#"kprobe:vfs_read { print(reg("sp")); }"#,
    args: (1, 1),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(name) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
    if !matches!(
        checker.context,
        Context::Entry { .. } | Context::Return { .. } | Context::Marker { .. } | Context::Overflow
    ) {
        let message = "`reg` is known where the registers are: in probes and samples";
        return checker.error("E0209", call.span, message);
    }
    let registers = checker.target.arch.registers().named;
    if let Some((_, offset)) = registers.iter().find(|(known, _)| *known == name) {
        return Expr { kind: ExprKind::Context { offset: *offset }, ty: U64, span: call.span };
    }
    let names: Vec<&str> = registers.iter().map(|(name, _)| *name).collect();
    let message = format!("this architecture has no register `{name}`");
    checker.report(Diagnostic::error("E0516", call.span, message).help(format!("it has {}", names.join(", "))));
    Expr::poison(call.span)
}
