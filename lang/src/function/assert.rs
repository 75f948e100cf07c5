//! `assert(condition, message)`: ends the script where something does not hold.

use super::{Function, errorf, exit};
use crate::ast::{self, ExprKind};
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::span::Spanned;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "assert",
    signature: "assert(bool condition, string message)",
    summary: "Where the condition does not hold, prints the message as an error and ends the script with exit code 1.",
    example: r#"tracepoint:raw_syscalls:sys_exit { assert(args.ret > -4096, "an error is a small number"); }"#,
    args: (2, 2),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let [condition, message] = call.args else { return Expr::poison(call.span) };
    let condition = checker.condition(condition);
    let here = |node| ast::Expr { node, span: call.span };
    let format = here(ExprKind::Str("assert failed: %s".to_owned()));
    let failure = of(checker, call, &errorf::FUNCTION, &[format, message.clone()]);
    let end = of(checker, call, &exit::FUNCTION, &[here(ExprKind::Int { value: 1, text: "1".to_owned() })]);
    if condition.ty.is_unknown() || failure.ty.is_unknown() || end.ty.is_unknown() {
        return Expr::poison(call.span);
    }
    Expr::effect("assert", call.span, move |lowerer| {
        let (holds, fails) = (lowerer.b.new_block(), lowerer.b.new_block());
        lowerer.branch(&condition, holds, fails);
        lowerer.b.switch_to(fails);
        lowerer.effect(&failure);
        lowerer.effect(&end);
        lowerer.b.jump(holds);
        lowerer.b.switch_to(holds);
    })
}

fn of(checker: &mut Checker<'_>, call: &Call<'_>, function: &Function, args: &[ast::Expr]) -> Expr {
    let name = Spanned { node: function.name.to_owned(), span: call.name.span };
    (function.check)(checker, &Call { name: &name, args, span: call.span })
}
