//! Arguments and results of kernel functions, as the kernel's types describe them.
//!
//! A program that is attached by types finds the arguments in its context, 8 bytes each, and the result behind them. On a kernel that
//! cannot attach so they are in the registers of a kprobe.

use std::sync::Arc;

use bpf::btf::{Btf, Type, TypeId};

use super::args::unknown_field;
use crate::check::Checker;
use crate::ctype::{self, Types};
use crate::expand::{Context, Function};
use crate::hir::{Expr, ExprKind};
use crate::span::{Span, Spanned};
use crate::types::{Space, Ty, U64};

/// An argument's place among the words handed over.
struct Slot<'b> {
    name: &'b str,
    ty: TypeId,
    first: usize,
    words: usize,
}

/// The arguments of a function: structs that are handed over by value take as many words as they need.
fn slots<'b>(btf: &'b Btf, function: &Function) -> Vec<Slot<'b>> {
    let mut first = 0;
    let slot = |param: bpf::btf::Param<'b>| {
        let words = btf.size_of(param.ty).unwrap_or(8).div_ceil(8).max(1) as usize;
        first += words;
        Slot { name: param.name, ty: param.ty, first: first - words, words }
    };
    btf.params(function.ty).map(slot).collect()
}

/// `args.name`
pub fn argument(checker: &mut Checker<'_>, function: &Function, field: &Spanned<String>, span: Span) -> Expr {
    let Some(btf) = checker.target.btf.clone().filter(|_| function.ty != TypeId::VOID) else {
        return Expr::poison(span);
    };
    let slots = slots(&btf, function);
    match slots.iter().find(|slot| slot.name == field.node) {
        Some(slot) if slot.words == 1 => word(checker, &btf, slot.ty, slot.first, span),
        Some(_) => checker.unsupported(span, "a struct that is handed over by value"),
        None => unknown_field(checker, field, slots.iter().map(|slot| slot.name)),
    }
}

/// The names of the arguments that are one word, those without one left out.
pub fn names(checker: &Checker<'_>, function: &Function) -> Vec<String> {
    let Some(btf) = checker.target.btf.as_deref().filter(|_| function.ty != TypeId::VOID) else { return vec![] };
    let whole = slots(btf, function).into_iter().filter(|slot| slot.words == 1 && !slot.name.is_empty());
    whole.map(|slot| slot.name.to_owned()).collect()
}

/// `arg0`, `arg1` .. where a program is attached by types.
pub fn numbered(checker: &mut Checker<'_>, function: &Function, number: usize, span: Span) -> Expr {
    let Some(btf) = checker.target.btf.clone().filter(|_| function.ty != TypeId::VOID) else {
        return Expr::poison(span);
    };
    let slots = slots(&btf, function);
    let found = slots.iter().find(|slot| (slot.first..slot.first + slot.words).contains(&number));
    match found {
        Some(slot) if slot.words == 1 => {
            let typed = word(checker, &btf, slot.ty, number, span);
            Expr { ty: U64, ..typed }
        }
        Some(_) => Expr { kind: ExprKind::Context { offset: number as i32 * 8 }, ty: U64, span },
        None => {
            let message = format!("`{}` has {} arguments", function.name, slots.len());
            checker.error("E0209", span, message)
        }
    }
}

/// `retval` where a program is attached by types.
pub fn returned(checker: &mut Checker<'_>, function: &Function, span: Span) -> Expr {
    let Some(btf) = checker.target.btf.clone().filter(|_| function.ty != TypeId::VOID) else {
        return Expr::poison(span);
    };
    let words = slots(&btf, function).last().map_or(0, |slot| slot.first + slot.words);
    match result_type(&btf, function) {
        Some(ty) => word(checker, &btf, ty, words, span),
        None => checker.error("E0209", span, format!("`{}` returns nothing", function.name)),
    }
}

/// The register that holds a result, as the function's type has it.
pub fn as_returned(checker: &mut Checker<'_>, function: &Function, whole: Expr, span: Span) -> Expr {
    let Some(btf) = checker.target.btf.clone() else { return whole };
    match result_type(&btf, function).map(|ty| ctype::of_btf(&Types::new(btf.clone()), ty, Space::Kernel)) {
        Some(ty) if ty.is_scalar() => checker.cast_to(ty, whole, span),
        _ => whole,
    }
}

fn result_type(btf: &Btf, function: &Function) -> Option<TypeId> {
    let Type::Func { proto, .. } = btf.ty(function.ty)? else { return None };
    match btf.ty(proto)? {
        Type::FuncProto { result } if result != TypeId::VOID => Some(result),
        _ => None,
    }
}

/// One word that is handed over, as a value of its type.
fn word(checker: &mut Checker<'_>, btf: &Arc<Btf>, id: TypeId, index: usize, span: Span) -> Expr {
    let ty = ctype::of_btf(&Types::new(btf.clone()), id, Space::Kernel);
    let registers = checker.target.arch.registers();
    let whole = match &checker.context {
        Context::Entry { .. } => match registers.args.get(index) {
            Some(offset) => Expr { kind: ExprKind::Context { offset: *offset }, ty: U64, span },
            None => return checker.unsupported(span, "an argument that is handed over on the stack"),
        },
        _ => in_context(checker, index as i32 * 8, matches!(ty, Ty::Pointer { .. }), span),
    };
    if ty.is_scalar() { checker.cast_to(ty, whole, span) } else { whole }
}

/// A word of the context. The kernel's verifier follows pointers there by their types, and forbids arithmetic it does not understand; as
/// plain numbers they are read with helpers like any other address. What needs them as the verifier knows them says so.
pub(super) fn in_context(checker: &Checker<'_>, offset: i32, pointer: bool, span: Span) -> Expr {
    let known = !matches!(checker.context, Context::Raw { typed: false, .. });
    match pointer && known && !checker.keeps_pointers {
        true => Expr::scalar("argument", U64, span, move |lowerer| lowerer.plain_word(offset)),
        false => Expr { kind: ExprKind::Context { offset }, ty: U64, span },
    }
}
