//! `str(address, length)`: the C string at an address.

use report::raw;

use super::Function;
use crate::ast;
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::span::Span;
use crate::types::{Space, Ty};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "str",
    signature: "str(address, int length = max_strlen)",
    summary: "Reads the C string at an address, at most `length` bytes with its NUL. Also turns `$1` into a string.",
    example: r#"tracepoint:syscalls:sys_enter_openat { printf("%s %s\n", comm, str(args.filename)); }"#,
    args: (1, 2),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(arg) = call.args.first() else { return Expr::poison(call.span) };
    let Some(Length { most: length, written, late }) = length(checker, call) else { return Expr::poison(call.span) };
    if let Some(text) = positional(checker, arg) {
        return literal(&text, written, call.span);
    }
    let value = checker.expr(arg);
    // A number that is written out is text, an address only by a cast.
    if let (Some(number), ast::ExprKind::Int { .. } | ast::ExprKind::Unary { .. }) = (value.constant(), &arg.node) {
        return literal(&number.to_string(), written, call.span);
    }
    match (&value.ty, value.literal()) {
        (_, Some(text)) => return literal(text, written, call.span),
        (Ty::Unknown, _) => return Expr::poison(call.span),
        (Ty::Str { .. }, _) => return value,
        (Ty::Pointer { .. } | Ty::Ksym, _) => {}
        (ty, _) if ty.is_integer() => {}
        (ty, _) => {
            let message = format!("argument 1 of `str` is an address, not `{ty}`");
            return checker.error("E0504", arg.span, message);
        }
    }
    // Kernel structs hold addresses of processes too, without saying so: only what is known to be a process's is taken for it.
    let space = match &value.ty {
        Ty::Pointer { space: Space::User, .. } => Space::User,
        _ => Space::Any,
    };
    // The kernel always writes a NUL. With one byte more to read than the type has, a string that was cut off has none.
    let most = checker.config.max_strlen;
    let spare = Ty::Str { size: most }.layout().size > most;
    let (size, read) = match length < most {
        true => (length, length),
        false if spare => (most, most + 1),
        false => (most.saturating_sub(1).max(1), most),
    };
    let ty = Ty::Str { size };
    let read = read.min(ty.layout().size);
    Expr::memory("str", ty, call.span, move |lowerer, to, fill| {
        let address = lowerer.scalar(&value);
        match &late {
            None => lowerer.read_string(to, read, address, space, fill),
            Some(length) => {
                let length = lowerer.scalar(length);
                lowerer.read_string_of(to, length, read, address, space);
            }
        }
    })
}

/// A constant string, or as many of its bytes as are asked for.
fn literal(text: &str, most: Option<i64>, span: Span) -> Expr {
    let bytes = raw::bytes(text);
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(bytes.len());
    Expr::str(&raw::text(bytes.get(..most).unwrap_or(&bytes)), span)
}

/// The text of `$1` and its kin, or with `$1 + n` of what is left without its first `n` bytes.
fn positional(checker: &Checker<'_>, arg: &ast::Expr) -> Option<String> {
    match &arg.node {
        ast::ExprKind::Positional(number) => {
            let text = (*number as usize).checked_sub(1).and_then(|i| checker.options.args.get(i)).cloned();
            Some(text.unwrap_or_default())
        }
        ast::ExprKind::Binary { op: ast::BinaryOp::Add, left, right } => match (&left.node, &right.node) {
            (ast::ExprKind::Positional(_), ast::ExprKind::Int { value, .. }) => {
                let text = positional(checker, left)?;
                let bytes = text.as_bytes().get(usize::try_from(*value).ok()?..).unwrap_or_default();
                Some(String::from_utf8_lossy(bytes).into_owned())
            }
            _ => None,
        },
        _ => None,
    }
}

/// The bytes to read, NUL included.
struct Length {
    /// At most.
    most: u32,
    /// As it is written, where it is a constant.
    written: Option<i64>,
    /// How many, where that is known only when the program runs.
    late: Option<Expr>,
}

fn length(checker: &mut Checker<'_>, call: &Call<'_>) -> Option<Length> {
    let most = checker.config.max_strlen;
    let Some(arg) = call.args.get(1) else { return Some(Length { most, written: None, late: None }) };
    let value = checker.integer(arg);
    match value.constant() {
        Some(n) => {
            let most = u32::try_from(n.max(1)).unwrap_or(most).min(most);
            Some(Length { most, written: Some(n), late: None })
        }
        None if value.ty.is_unknown() => None,
        None => Some(Length { most, written: None, late: Some(value) }),
    }
}
