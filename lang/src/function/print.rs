//! `print(x, top, div)`: prints a map, an element or a value.

use report::schema::{EventKind, Field, MapId, Type};

use super::Function;
use super::format::value;
use crate::ast;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;
use crate::hir::Expr;
use crate::lower::{Fill, HEADER};
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "print",
    signature: "print(value) or print(map m, const int top = 0, const int div = 0)",
    summary: "Prints a value, an element or a whole map: the `top` largest, divided by `div`. Maps are read by user space, \
              a moment later.",
    example: "interval:s:1 { print(@, 10); clear(@); } tracepoint:sched:sched_switch { @[comm] = count(); }",
    args: (1, 3),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(arg) = call.args.first() else { return Expr::poison(call.span) };
    match &arg.node {
        ast::ExprKind::Map(_) => print_map(checker, call),
        _ if call.args.len() > 1 => {
            checker.error("E0513", call.span, "only a map is printed in part: `print(@m, top, div)`")
        }
        ast::ExprKind::MapAccess { name, .. } if matches!(checker.map_value(&name.node), Ty::Aggregate(_)) => {
            print_element(checker, call)
        }
        _ => print_value(checker, call, arg),
    }
}

fn print_map(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let used = checker.map_arg(call, 0);
    let top = checker.constant_arg(call, 1, Some(0));
    let div = checker.constant_arg(call, 2, Some(0));
    let (Some(used), Some(top), Some(div)) = (used, top, div) else { return Expr::poison(call.span) };
    let (Ok(top), Ok(div)) = (u64::try_from(top), u64::try_from(div)) else {
        return checker.error("E0513", call.span, "`top` and `div` are not negative");
    };
    if top > 0 && checker.map_key(&used.name).is_none() {
        return checker.error("E0513", call.span, format!("`{}` has no key, so there is no part of it", used.name));
    }
    if checker.in_loop() {
        let message = "print() of a map in a loop: the map is printed a moment later, and may have changed by then";
        checker
            .report(Diagnostic::warning("W0502", call.span, message).help("print what the loop is at: `print($kv)`"));
    }
    let kind = EventKind::PrintMap { map: MapId(used.map.0), top, div };
    Expr::effect("print", call.span, move |lowerer| lowerer.send(kind.clone(), HEADER, |_, _| {}))
}

/// An aggregate is read by user space, which alone sees all CPUs.
fn print_element(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(used) = checker.element_arg(call, 0) else { return Expr::poison(call.span) };
    let (map, Some(key)) = (used.map, used.key) else { return Expr::poison(call.span) };
    Expr::effect("print", call.span, move |lowerer| {
        let Some(ty) = lowerer.map_info(map).key.clone() else { return };
        let kind = EventKind::PrintKey { map: MapId(map.0), key_offset: HEADER };
        let size = (HEADER + ty.layout().size).next_multiple_of(8);
        lowerer.send(kind, size, |lowerer, record| lowerer.write(&key, record.at(HEADER), &ty, Fill::Zeros));
    })
}

fn print_value(checker: &mut Checker<'_>, call: &Call<'_>, arg: &ast::Expr) -> Expr {
    let value = value(checker, arg);
    if value.ty.is_unknown() {
        return Expr::poison(call.span);
    }
    Expr::effect("print", call.span, move |lowerer| {
        lowerer.send_values(std::slice::from_ref(&value), |fields| {
            let nothing = Field { ty: Type::Bool, offset: HEADER };
            EventKind::PrintValue(fields.into_iter().next().unwrap_or(nothing))
        });
    })
}
