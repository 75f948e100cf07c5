//! `fail(format, values ..)`: refuses the script.

use report::printf::Format;
use report::value::Value;

use super::Function;
use crate::check::{Call, Checker};
use crate::hir::Expr;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "fail",
    signature: "fail(const string format, ...)",
    summary: "Refuses the script with a message, where it stands in code that is not known to be dead. All values are constants.",
    example: r#"begin { if ($1 > 100) { fail("at most 100, not %d", $1); } }"#,
    args: (1, usize::MAX),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let format = checker.string_arg(call, 0);
    let values: Vec<Expr> = call.args.iter().skip(1).map(|arg| checker.expr(arg)).collect();
    let Some(format) = format else { return Expr::poison(call.span) };
    if checker.is_dead() {
        return Expr::effect("fail", call.span, |_| {});
    }
    let mut arguments = vec![];
    for value in &values {
        arguments.push(match (value.constant(), value.literal()) {
            (Some(number), _) => Value::Int(number),
            (_, Some(text)) => Value::Str(text.into()),
            _ if value.ty.is_unknown() => return Expr::poison(call.span),
            _ => return checker.error("E0503", value.span, "the values of `fail` are constants"),
        });
    }
    match Format::parse(&format) {
        Ok(format) => {
            let message = format.render(&arguments).to_str_lossy().into_owned();
            checker.error("E0522", call.span, message)
        }
        Err(error) => checker.error("E0510", call.span, error.to_string()),
    }
}
