//! `nsecs(clock)`: the time by one of the kernel's clocks.

use bpf::helper::Helper;

use super::Function;
use crate::ast::ExprKind;
use crate::builtin;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;
use crate::hir::Expr;
use crate::types::U64;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "nsecs",
    signature: "nsecs(clock = boot)",
    summary: "Nanoseconds by one of the kernel's clocks: `boot` counts suspended time, `monotonic` does not, `tai` and `sw_tai` count leap seconds.",
    example: "begin { print(nsecs(monotonic)); }",
    args: (0, 1),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(arg) = call.args.first() else { return (builtin::nsecs::BUILTIN.check)(checker, call.span) };
    let clock = match &arg.node {
        ExprKind::Ident(name) => name.as_str(),
        _ => "",
    };
    match clock {
        "boot" => (builtin::nsecs::BUILTIN.check)(checker, call.span),
        "monotonic" => Expr::scalar("nsecs", U64, call.span, |lowerer| lowerer.call(Helper::KtimeGetNs, &[])),
        // The helper came with the same release as the allocator.
        "tai" | "sw_tai" if checker.target.features.map_alloc => {
            Expr::scalar("nsecs", U64, call.span, |lowerer| lowerer.call(Helper::KtimeGetTaiNs, &[]))
        }
        "tai" | "sw_tai" => checker.error("E0517", arg.span, "this node's kernel does not tell the TAI clock"),
        _ => {
            let message = "`nsecs` takes the name of a clock";
            checker.report(Diagnostic::error("E0517", arg.span, message).help("use boot, monotonic, tai or sw_tai"));
            Expr::poison(call.span)
        }
    }
}
