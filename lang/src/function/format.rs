//! What `printf` and its kin have in common: a format and the values it prints.

use report::printf::{Format, Spec, Takes};
use report::schema::{EventKind, Field};

use crate::ast;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprKind};
use crate::lower::{Lowerer, Record};
use crate::span::Span;
use crate::types::Ty;

/// Checks a call with a format and values, which becomes an event of the given kind.
pub fn formatted(
    checker: &mut Checker<'_>,
    call: &Call<'_>,
    name: &'static str,
    kind: impl Fn(&Lowerer<'_>, String, Vec<Field>) -> EventKind + 'static,
) -> Expr {
    let values: Vec<Expr> = call.args.iter().skip(1).map(|arg| value(checker, arg)).collect();
    let Some(format) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
    if !check_format(checker, call, name, &format, &values) {
        return Expr::poison(call.span);
    }
    Expr::effect(name, call.span, move |lowerer| {
        let event = kind(lowerer, format.clone(), Record::of(&values).fields);
        lowerer.send_values(&values, |_| event);
    })
}

/// A value to print.
pub fn value(checker: &mut Checker<'_>, arg: &ast::Expr) -> Expr {
    let value = checker.expr(arg);
    match &value.ty {
        ty if ty.is_unknown() => value,
        Ty::Aggregate(_) if matches!(value.kind, ExprKind::Map { .. }) => {
            let message = format!("`{}` is not one number that can be printed here", value.ty);
            checker.report(
                Diagnostic::error("E0509", arg.span, message).help("`print()` prints it whole: print(@m[key])"),
            );
            Expr::poison(arg.span)
        }
        ty if ty.schema().is_none() => {
            let message = format!("`{ty}` cannot be printed");
            checker.error("E0509", arg.span, message)
        }
        _ => value,
    }
}

fn check_format(checker: &mut Checker<'_>, call: &Call<'_>, name: &str, format: &str, values: &[Expr]) -> bool {
    let span = call.args.first().map_or(call.span, |arg| arg.span);
    let parsed = match Format::parse(format) {
        Ok(parsed) => parsed,
        Err(error) => {
            checker.error("E0510", span, error.to_string());
            return false;
        }
    };
    let specs: Vec<&Spec> = parsed.specs().collect();
    if specs.len() != values.len() {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let (wanted, given) = (specs.len(), values.len());
        let message = format!("`{name}` has {given} value{} for {wanted} conversion{}", plural(given), plural(wanted));
        checker.report(Diagnostic::error("E0511", call.span, message).related(span, "the conversions are in here"));
        return false;
    }
    specs.iter().zip(values).all(|(spec, value)| fits(checker, spec, value, span))
}

fn fits(checker: &mut Checker<'_>, spec: &Spec, value: &Expr, format: Span) -> bool {
    let fits = match spec.conversion.takes() {
        Takes::Anything => true,
        Takes::Buffer => matches!(value.ty, Ty::Buf { .. } | Ty::Str { .. }),
        Takes::Number => {
            (value.ty.is_integer() && !matches!(&value.ty, Ty::Enum(e) if e.text))
                || matches!(
                    value.ty,
                    Ty::Pointer { .. } | Ty::Ksym | Ty::Username | Ty::CgroupPath | Ty::Timestamp { .. }
                )
        }
    };
    if fits || value.ty.is_unknown() {
        return true;
    }
    let message = format!("`%{}` does not print `{}`", spec.conversion, value.ty);
    checker.report(
        Diagnostic::error("E0512", value.span, message).related(format, "in this format").help("`%s` prints any value"),
    );
    false
}
