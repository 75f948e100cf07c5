//! `getopt(name, default, description)`: a named parameter of the script.

use super::Function;
use crate::check::{Call, Checker, parse_integer};
use crate::hir::{Expr, ExprKind};
use crate::parameters;
use crate::types::{Ty, U64};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "getopt",
    signature: "getopt(const string name, default = false, const string description)",
    summary: "The parameter `--name=value` of the script, of its default's type; without a default, whether it is given.",
    example: r#"interval:s:1 { print(getopt("top", 10, "how many to print")); }"#,
    args: (1, 3),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(name) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
    let given = checker.options.named.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let default = match call.args.get(1) {
        Some(arg) => checker.expr(arg),
        None => boolean(false, call),
    };
    if call.args.len() > 2 {
        checker.string_arg(call, 2);
    }
    if default.ty.is_unknown() {
        return Expr::poison(call.span);
    }
    let is_constant = default.constant().is_some() || default.literal().is_some();
    if !is_constant {
        return checker.error("E0503", default.span, "the default of a parameter is a constant");
    }
    let Some(value) = given else { return default };
    let parsed = match (&default.ty, value.as_deref()) {
        (Ty::Bool, None) => Some(boolean(true, call)),
        (Ty::Bool, Some(text)) => parameters::boolean(text).map(|value| boolean(value, call)),
        (Ty::Str { .. }, Some(text)) => Some(Expr::str(text, call.span)),
        (Ty::Int { .. }, Some(text)) => parse_integer(text).map(|number| match number {
            // Beyond the largest signed number.
            ..0 if !text.starts_with('-') => Expr { kind: ExprKind::Int(number), ty: U64, span: call.span },
            _ => Expr::int(number, call.span),
        }),
        _ => None,
    };
    parsed.unwrap_or_else(|| {
        let value = value.map(|value| format!("={value}")).unwrap_or_default();
        checker.error("E0520", call.span, format!("`--{name}{value}` has no value of type `{}`", default.ty))
    })
}

fn boolean(value: bool, call: &Call<'_>) -> Expr {
    Expr { kind: ExprKind::Int(i64::from(value)), ty: Ty::Bool, span: call.span }
}
