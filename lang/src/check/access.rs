//! Access to parts of a value: fields, elements, casts.

use std::rc::Rc;

use super::Checker;
use super::address::address_of;
use super::comptime::is_known;
use super::operator::{memory, pointer_to, scaled};
use crate::ast::{Expr, ExprKind as Ast, TypeName};
use crate::builtin;
use crate::ctype::{self, Place};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, ExprKind};
use crate::ir::Cmp;
use crate::nearest::nearest;
use crate::span::{Span, Spanned};
use crate::types::{Space, Ty};

impl Checker<'_> {
    pub(super) fn field(&mut self, base: &Expr, field: &Spanned<String>, span: Span) -> hir::Expr {
        if base.node == Ast::Ident("args".into()) {
            return builtin::args::field(self, field, span);
        }
        if base.node == Ast::Ident("ctx".into()) {
            return builtin::ctx::field(self, field, span);
        }
        let base = self.expr(base);
        self.field_of(base, field, span)
    }

    /// The part of `base` called `field`.
    pub fn field_of(&mut self, base: hir::Expr, field: &Spanned<String>, span: Span) -> hir::Expr {
        match &base.ty {
            ty if *ty == Ty::Unknown => hir::Expr::poison(span),
            Ty::Tuple(items) => match field.node.parse::<usize>().ok().filter(|i| *i < items.len()) {
                Some(index) => component(base, index, span),
                None => {
                    let message = format!("a tuple of {} has no `.{}`", items.len(), field.node);
                    self.error("E0314", field.span, message)
                }
            },
            Ty::Record(items) => match items.iter().position(|(name, _)| *name == field.node) {
                Some(index) => component(base, index, span),
                None => self.no_member(field, &base.ty.to_string(), items.iter().map(|(n, _)| n.as_str())),
            },
            Ty::Pointer { to, space } => {
                let (to, space) = ((**to).clone(), *space);
                self.member_at(base, 0, &to, space, field, span)
            }
            Ty::Struct(_) => {
                let ty = base.ty.clone();
                let ExprKind::Memory { address, offset, space, .. } = base.kind else {
                    return self.part(base, &ty, field, span);
                };
                self.member_at(*address, offset, &ty, space, field, span)
            }
            _ => {
                let d = Diagnostic::error("E0315", field.span, format!("`{}` has no fields", base.ty));
                let d = if base.ty.is_integer() {
                    d.help("cast it to a pointer to a struct first: `((struct name *)x).field`")
                } else {
                    d
                };
                self.report(d);
                hir::Expr::poison(span)
            }
        }
    }

    /// A member of a struct that a variable or a map holds.
    fn part(&mut self, base: hir::Expr, of: &Ty, field: &Spanned<String>, span: Span) -> hir::Expr {
        match self.member_in(of, Space::Any, field) {
            Some(place) => {
                let kind = ExprKind::Part { base: Box::new(base), offset: place.offset, bits: place.bits };
                hir::Expr { kind, ty: place.ty, span }
            }
            None => hir::Expr::poison(span),
        }
    }

    fn member_at(
        &mut self,
        address: hir::Expr,
        offset: i64,
        of: &Ty,
        space: Space,
        field: &Spanned<String>,
        span: Span,
    ) -> hir::Expr {
        match self.member_in(of, space, field) {
            Some(place) => memory(address, offset + i64::from(place.offset), place.ty, space, place.bits, span),
            None => hir::Expr::poison(span),
        }
    }

    /// Where a member of a type is; `None` once what is wrong has been reported.
    pub fn member(&mut self, of: &Ty, field: &Spanned<String>) -> Option<Place> {
        self.member_in(of, Space::Any, field)
    }

    fn member_in(&mut self, of: &Ty, space: Space, field: &Spanned<String>) -> Option<Place> {
        let Ty::Struct(of) = of else {
            if !of.is_unknown() {
                let what = if *of == Ty::Void { "a type that is not known".into() } else { format!("`{of}`") };
                self.error("E0315", field.span, format!("{what} has no fields"));
            }
            return None;
        };
        let found = ctype::member(of, &field.node, space).map(|place| Place { ty: self.complete(place.ty), ..place });
        if found.is_none() {
            let names = ctype::member_names(of);
            self.no_member(field, &of.name, names.iter().map(String::as_str));
        }
        found
    }

    /// Reports a field that is not there.
    pub fn no_member<'n>(
        &mut self,
        field: &Spanned<String>,
        of: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> hir::Expr {
        let d = Diagnostic::error("E0316", field.span, format!("`{of}` has no field `{}`", field.node));
        let d = match nearest(&field.node, names) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d,
        };
        self.report(d);
        hir::Expr::poison(field.span)
    }

    pub(super) fn index(&mut self, base: &Expr, index: &Expr, span: Span) -> hir::Expr {
        let index = self.integer(index);
        if let Some(element) = builtin::args::element(self, base, &index, span) {
            return element;
        }
        let base = self.expr(base);
        if base.ty.is_unknown() && !matches!(base.ty, Ty::Tuple(_)) || index.ty.is_unknown() {
            return hir::Expr::poison(span);
        }
        match base.ty.clone() {
            Ty::Tuple(items) => match index.constant().and_then(|i| usize::try_from(i).ok()) {
                Some(i) if i < items.len() => component(base, i, span),
                _ => {
                    let most = items.len().saturating_sub(1);
                    self.error(
                        "E0314",
                        index.span,
                        format!("a component of this tuple is named by a constant from 0 to {most}"),
                    )
                }
            },
            Ty::Array { element, len } => {
                if let Some(i) = index.constant().filter(|i| len > 0 && !(0..i64::from(len)).contains(i)) {
                    return self.error(
                        "E0317",
                        index.span,
                        format!("the index {i} is out of bounds for array of size {len}"),
                    );
                }
                let index = within(index, len);
                self.element(base, index, (*element).clone(), span)
            }
            Ty::Pointer { to, space } => {
                let address = moved(base, index, &to);
                memory(address, 0, (*to).clone(), space, None, span)
            }
            Ty::Str { size } => {
                if let Some(i) = index.constant().filter(|i| !(0..i64::from(size)).contains(i)) {
                    return self.error(
                        "E0317",
                        index.span,
                        format!("the index {i} is out of bounds for string of size {size}"),
                    );
                }
                self.element(base, index, Ty::Int { bytes: 1, signed: false }, span)
            }
            ty => self.error("E0318", span, format!("`{ty}` has no elements")),
        }
    }

    fn element(&mut self, base: hir::Expr, index: hir::Expr, element: Ty, span: Span) -> hir::Expr {
        match base.kind {
            ExprKind::Memory { address, offset, space, .. } => match index.constant() {
                Some(i) => {
                    let size = i64::from(element.size_in_c());
                    memory(*address, offset + i * size, element, space, None, span)
                }
                None => memory(moved(*address, index, &element), offset, element, space, None, span),
            },
            ExprKind::Context { offset } if index.constant().is_some() => {
                let at = i64::from(offset) + index.constant().unwrap_or(0) * i64::from(element.size_in_c());
                let offset = i32::try_from(at).unwrap_or(i32::MAX);
                hir::Expr { kind: ExprKind::Context { offset }, ty: element, span }
            }
            _ => {
                let kind = ExprKind::Element { base: Box::new(base), index: Box::new(index) };
                hir::Expr { kind, ty: element, span }
            }
        }
    }

    pub(super) fn cast(&mut self, ty: &TypeName, operand: &Expr, span: Span) -> hir::Expr {
        // `type[]` is as long as what is cast.
        let (open, ty) = match ty.arrays.as_slice() {
            [None] => (true, &TypeName { arrays: vec![], ..ty.clone() }),
            _ => (false, ty),
        };
        let to = self.type_name(ty);
        let from = self.expr(operand);
        if !open || to.is_unknown() || from.ty.is_unknown() {
            return self.cast_to(to, from, span);
        }
        let len = from.ty.size_in_c() / to.size_in_c().max(1);
        self.cast_to(Ty::Array { element: Rc::new(to), len }, from, span)
    }

    /// An integer as an array of its bytes, or the other way round; a string as an array.
    fn cast_bytes(&mut self, to: Ty, from: hir::Expr, span: Span) -> hir::Expr {
        let (wanted, given) = (to.size_in_c(), from.ty.size_in_c());
        let fits = match (&to, &from.ty) {
            (Ty::Array { .. }, Ty::Str { .. } | Ty::Array { .. }) => wanted == given,
            (Ty::Array { .. }, _) => wanted <= 8 && (wanted == given || from.constant().is_some()),
            _ => wanted == given && matches!(wanted, 1 | 2 | 4 | 8),
        };
        if !fits {
            let message = format!("cannot cast `{}` to `{to}`: they are {given} and {wanted} bytes", from.ty);
            return self.error("E0319", span, message);
        }
        hir::Expr { kind: ExprKind::Cast(Box::new(from)), ty: to, span }
    }

    /// `from` as a value of type `to`.
    pub fn cast_to(&mut self, to: Ty, from: hir::Expr, span: Span) -> hir::Expr {
        if to.is_unknown() || from.ty.is_unknown() {
            return hir::Expr { kind: ExprKind::Poison, ty: to, span };
        }
        let number = from.ty.is_scalar() && !matches!(from.ty, Ty::Kstack(_));
        match &to {
            Ty::Int { bytes, signed } if number => match from.constant() {
                Some(value) => {
                    let kind = ExprKind::Int(cut(value, *bytes, *signed));
                    let number = hir::Expr { kind, ty: to.clone(), span };
                    // Its sign was chosen, be it the one that the literal has anyway.
                    match self.is_soft(&number) {
                        true => hir::Expr { kind: ExprKind::Cast(Box::new(number)), ty: to, span },
                        false => number,
                    }
                }
                None => hir::Expr { kind: ExprKind::Cast(Box::new(from)), ty: to, span },
            },
            Ty::Bool | Ty::Enum(_) if number => hir::Expr { kind: ExprKind::Cast(Box::new(from)), ty: to, span },
            // What is narrower than an address is extended with zeros, whatever its sign.
            Ty::Pointer { .. } if matches!(from.ty, Ty::Int { bytes: ..8, signed: true }) => {
                let Ty::Int { bytes, .. } = from.ty else { return from };
                let unsigned = self.cast_to(Ty::Int { bytes, signed: false }, from, span);
                self.cast_to(to, unsigned, span)
            }
            Ty::Pointer { to: target, space } if number => {
                let space = match &from.ty {
                    Ty::Pointer { space, .. } => *space,
                    Ty::Ksym => Space::Kernel,
                    _ => *space,
                };
                let ty = pointer_to((**target).clone(), space);
                hir::Expr { kind: ExprKind::Cast(Box::new(from)), ty, span }
            }
            // An array or struct in memory is named by its address.
            Ty::Pointer { to: target, .. } if matches!(from.kind, ExprKind::Memory { .. }) => {
                let ExprKind::Memory { address, offset, space, .. } = from.kind else { return hir::Expr::poison(span) };
                let ty = pointer_to((**target).clone(), space);
                address_of(*address, offset, ty, span)
            }
            Ty::Str { size } if matches!(from.ty, Ty::Str { .. }) => {
                let ty = Ty::Str { size: *size };
                hir::Expr { kind: ExprKind::Cast(Box::new(from)), ty, span }
            }
            // Whether it is not empty.
            Ty::Bool if matches!(from.ty, Ty::Str { .. }) => {
                let empty = hir::Expr::str("", span);
                let kind = ExprKind::Same { equal: false, left: Box::new(from), right: Box::new(empty) };
                hir::Expr { kind, ty: to, span }
            }
            to if *to == from.ty => from,
            Ty::Array { element, .. } if is_plain(element) && (from.ty.is_integer() || is_bytes(&from.ty)) => {
                self.cast_bytes(to, from, span)
            }
            Ty::Int { .. } if is_bytes(&from.ty) => self.cast_bytes(to, from, span),
            to => self.error("E0319", span, format!("cannot cast `{}` to `{to}`", from.ty)),
        }
    }
}

/// Whether a value is bytes and nothing else.
fn is_plain(ty: &Ty) -> bool {
    matches!(ty, Ty::Int { .. } | Ty::Bool)
}

fn is_bytes(ty: &Ty) -> bool {
    matches!(ty, Ty::Array { element, .. } if is_plain(element)) || matches!(ty, Ty::Str { .. })
}

fn component(base: hir::Expr, index: usize, span: Span) -> hir::Expr {
    let ty = match &base.ty {
        Ty::Tuple(items) => items.get(index).cloned(),
        Ty::Record(items) => items.get(index).map(|(_, ty)| ty.clone()),
        _ => None,
    };
    if let ExprKind::Tuple(items) = &base.kind
        && items.iter().all(is_known)
        && let Some(item) = items.get(index)
    {
        return hir::Expr { span, ..item.clone() };
    }
    hir::Expr { kind: ExprKind::Component { base: Box::new(base), index }, ty: ty.unwrap_or(Ty::Unknown), span }
}

/// An index that is known only when the program runs, which then warns where it is beyond an array's end.
fn within(index: hir::Expr, len: u32) -> hir::Expr {
    if index.constant().is_some() || len == 0 {
        return index;
    }
    let (ty, span) = (index.ty.clone(), index.span);
    hir::Expr::scalar("index", ty, span, move |lowerer| {
        let index = lowerer.scalar(&index);
        let (outside, done) = (lowerer.b.new_block(), lowerer.b.new_block());
        lowerer.b.branch(Cmp::UGe, index, i64::from(len), outside, done);
        lowerer.b.switch_to(outside);
        lowerer.warn_index();
        lowerer.b.jump(done);
        lowerer.b.switch_to(done);
        index
    })
}

/// An address moved by `index` elements.
fn moved(address: hir::Expr, index: hir::Expr, element: &Ty) -> hir::Expr {
    let (span, ty) = (address.span, address.ty.clone());
    let right = Box::new(scaled(index, i64::from(element.size_in_c())));
    let left = Box::new(address);
    hir::Expr { kind: ExprKind::Binary { op: crate::ast::BinaryOp::Add, signed: false, left, right }, ty, span }
}

fn cut(value: i64, bytes: u8, signed: bool) -> i64 {
    let unused = 64 - u32::from(bytes.min(8)) * 8;
    if signed { value << unused >> unused } else { ((value as u64) << unused >> unused) as i64 }
}
