//! Arguments of a program's functions, as its debug information describes them.

use super::args::unknown_field;
use crate::check::{Checker, memory};
use crate::ctype::{self, Types};
use crate::diagnostic::Diagnostic;
use crate::expand::Function;
use crate::hir::{Expr, ExprKind};
use crate::ir::Width;
use crate::passing::{self, Argument, Place};
use crate::span::{Span, Spanned};
use crate::types::{Space, Ty, U64};

/// `args.name`
pub fn argument(checker: &mut Checker<'_>, function: &Function, field: &Spanned<String>, span: Span) -> Expr {
    let Some(types) = checker.program.clone() else { return Expr::poison(span) };
    let arguments = arguments(checker, &types, function);
    match arguments.iter().find(|argument| argument.name == field.node) {
        Some(argument) => value(checker, &types, argument, span),
        None => unknown_field(checker, field, arguments.iter().map(|argument| argument.name)),
    }
}

/// The names of the arguments, those without one left out.
pub fn names(checker: &Checker<'_>, function: &Function) -> Vec<String> {
    let Some(types) = &checker.program else { return vec![] };
    let named = arguments(checker, types, function).into_iter().map(|argument| argument.name.to_owned());
    named.filter(|name| !name.is_empty()).collect()
}

fn arguments<'t>(checker: &Checker<'_>, types: &'t Types, function: &Function) -> Vec<Argument<'t>> {
    let arch = checker.target.arch;
    passing::arguments(types, function.ty, arch, arch.registers().args.len())
}

fn value(checker: &mut Checker<'_>, types: &Types, argument: &Argument<'_>, span: Span) -> Expr {
    let registers = checker.target.arch.registers();
    let ty = ctype::of_btf(types, argument.ty, Space::User);
    let at = |offset: i32| Expr { kind: ExprKind::Context { offset }, ty: U64, span };
    let held = |index: usize| registers.args.get(index).copied().map(at);
    let known = ty != Ty::Void;
    let found = match argument.place {
        Place::Registers(first) if ty.is_scalar() => held(first).map(|whole| checker.cast_to(ty, whole, span)),
        Place::Registers(first) if known => {
            let words = registers.args.get(first..).unwrap_or_default().iter().copied().take(2).collect();
            Some(in_registers(ty, words, span))
        }
        Place::Stack(behind) if known => {
            let offset = registers.stack_args + i64::from(behind);
            Some(memory(at(registers.sp), offset, ty, Space::User, None, span))
        }
        Place::Behind(index) if known => held(index).map(|address| memory(address, 0, ty, Space::User, None, span)),
        _ => None,
    };
    found.unwrap_or_else(|| {
        let what = types.declaration(argument.ty, argument.name);
        let message = format!("`{what}` is handed over in a way that a probe cannot read");
        checker.report(
            Diagnostic::error("E0411", span, message)
                .help("numbers with a fraction, and those of 128 bits, are not read"),
        );
        Expr::poison(span)
    })
}

/// A struct of up to two words that registers hold.
fn in_registers(ty: Ty, words: Vec<i32>, span: Span) -> Expr {
    let bytes = ty.size_in_c();
    Expr::memory("args", ty, span, move |lowerer, to, _| {
        for (first, offset) in (0u32..).step_by(8).zip(&words) {
            let left = bytes.saturating_sub(first).min(8);
            if left == 0 {
                break;
            }
            let whole = lowerer.temp(8);
            let context = lowerer.b.context();
            let word = lowerer.b.load(context, *offset, Width::B8, false);
            lowerer.b.store(whole.base, whole.offset, Width::B8, word);
            lowerer.copy(whole, to.at(first), left);
        }
    })
}
