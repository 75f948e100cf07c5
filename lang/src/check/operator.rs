//! Operators.
//!
//! Arithmetic is on 64 bits and unsigned only if both operands are; what is soft takes the sign of the other side. A subtraction is
//! always signed. Comparisons are signed unless both sides are unsigned.

use std::rc::Rc;

use super::Checker;
use crate::ast::{BinaryOp, Expr, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, ExprKind};
use crate::span::Span;
use crate::types::{I64, Space, Ty, U64, unify};

impl Checker<'_> {
    /// The value of `left op right`.
    pub(super) fn binary(&mut self, op: BinaryOp, left: hir::Expr, right: hir::Expr, span: Span) -> hir::Expr {
        if let Some(folded) = self.fold(op, &left, &right, span) {
            return folded;
        }
        match op {
            BinaryOp::Or | BinaryOp::And => self.logical(op == BinaryOp::And, left, right, span),
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                self.comparison(op, left, right, span)
            }
            _ => self.arithmetic(op, left, right, span),
        }
    }

    fn logical(&mut self, and: bool, left: hir::Expr, right: hir::Expr, span: Span) -> hir::Expr {
        for side in [&left, &right] {
            if !side.ty.is_condition() {
                return self.error("E0301", side.span, format!("`{}` is not a condition", side.ty));
            }
        }
        let (left, right) = (Box::new(left), Box::new(right));
        hir::Expr { kind: ExprKind::Logical { and, left, right }, ty: Ty::Bool, span }
    }

    fn comparison(&mut self, op: BinaryOp, left: hir::Expr, right: hir::Expr, span: Span) -> hir::Expr {
        if left.ty.is_unknown() || right.ty.is_unknown() {
            return hir::Expr { kind: ExprKind::Poison, ty: Ty::Bool, span };
        }
        let equality = matches!(op, BinaryOp::Eq | BinaryOp::Ne);
        if let Some(by_name) = super::names::compared(op, &left, &right, span) {
            return by_name;
        }
        let (left, right) = as_one_type(left, right);
        if left.ty.is_scalar() && right.ty.is_scalar() {
            let comparable =
                matches!((&left.ty, &right.ty), (Ty::Kstack(_), Ty::Kstack(_)) | (Ty::Ksym, _) | (_, Ty::Ksym))
                    || (is_number(&left.ty) && is_number(&right.ty));
            if comparable {
                let signed = self.is_signed(&left, &right);
                let (left, right) = (Box::new(left), Box::new(right));
                return hir::Expr { kind: ExprKind::Compare { op, signed, left, right }, ty: Ty::Bool, span };
            }
        }
        let same_kind = match (&left.ty, &right.ty) {
            (Ty::Str { .. }, Ty::Str { .. }) => true,
            (a, b) => a == b && !matches!(a, Ty::Struct(_) | Ty::Aggregate(_) | Ty::Void) && !a.is_scalar(),
        };
        if equality
            && same_kind
            && let Some(same) = super::comptime::are_same(&left, &right)
        {
            let value = i64::from(same == (op == BinaryOp::Eq));
            return hir::Expr { kind: ExprKind::Int(value), ty: Ty::Bool, span };
        }
        if equality && same_kind {
            let (left, right) = (Box::new(left), Box::new(right));
            return hir::Expr { kind: ExprKind::Same { equal: op == BinaryOp::Eq, left, right }, ty: Ty::Bool, span };
        }
        self.cannot("compare", &left.ty, &right.ty, span)
    }

    fn arithmetic(&mut self, op: BinaryOp, left: hir::Expr, right: hir::Expr, span: Span) -> hir::Expr {
        if left.ty.is_unknown() || right.ty.is_unknown() {
            return hir::Expr::poison(span);
        }
        if let Some(moved) = self.pointer_arithmetic(op, &left, &right, span) {
            return moved;
        }
        if !left.ty.is_integer() || !right.ty.is_integer() {
            return self.cannot("calculate with", &left.ty, &right.ty, span);
        }
        let signed = match op {
            BinaryOp::Shl | BinaryOp::Shr => left.ty.is_signed(),
            _ => self.is_signed(&left, &right),
        };
        let ty = if signed || op == BinaryOp::Sub { I64 } else { U64 };
        let (left, right) = (Box::new(left), Box::new(right));
        hir::Expr { kind: ExprKind::Binary { op, signed, left, right }, ty, span }
    }

    /// An address moved by a number of the things it points to.
    fn pointer_arithmetic(
        &mut self,
        op: BinaryOp,
        left: &hir::Expr,
        right: &hir::Expr,
        span: Span,
    ) -> Option<hir::Expr> {
        let (pointer, number) = match (&left.ty, &right.ty) {
            (Ty::Pointer { .. }, ty) if ty.is_integer() && matches!(op, BinaryOp::Add | BinaryOp::Sub) => (left, right),
            (ty, Ty::Pointer { .. }) if ty.is_integer() && op == BinaryOp::Add => (right, left),
            (Ty::Pointer { .. }, Ty::Pointer { .. }) if op == BinaryOp::Sub => {
                let (left, right) = (Box::new(left.clone()), Box::new(right.clone()));
                return Some(hir::Expr { kind: ExprKind::Binary { op, signed: true, left, right }, ty: I64, span });
            }
            (Ty::Pointer { .. }, ty) if ty.is_integer() => {
                // Masks and remainders of addresses are numbers.
                let (left, right) = (Box::new(left.clone()), Box::new(right.clone()));
                return Some(hir::Expr { kind: ExprKind::Binary { op, signed: false, left, right }, ty: U64, span });
            }
            _ => return None,
        };
        let Ty::Pointer { to, .. } = &pointer.ty else { return None };
        let scale = match &**to {
            Ty::Void | Ty::Unknown => 1,
            Ty::Struct(s) => i64::from(s.size.max(1)),
            Ty::Str { size } => i64::from(*size),
            ty => i64::from(ty.layout().size),
        };
        let distance = scaled(number.clone(), scale);
        let (left, right) = (Box::new(pointer.clone()), Box::new(distance));
        Some(hir::Expr { kind: ExprKind::Binary { op, signed: false, left, right }, ty: pointer.ty.clone(), span })
    }

    /// Whether an operator between two values is one on signed numbers.
    fn is_signed(&self, left: &hir::Expr, right: &hir::Expr) -> bool {
        match (self.is_soft(left), self.is_soft(right)) {
            (true, false) => right.ty.is_signed(),
            (false, true) => left.ty.is_signed(),
            _ => left.ty.is_signed() || right.ty.is_signed(),
        }
    }

    fn cannot(&mut self, verb: &str, left: &Ty, right: &Ty, span: Span) -> hir::Expr {
        let d = Diagnostic::error("E0310", span, format!("cannot {verb} `{left}` and `{right}`"));
        let d = match (left, right) {
            (Ty::Aggregate(_), _) | (_, Ty::Aggregate(_)) => d.help(
                "what a map aggregates is known when it prints; keep a plain value in another map to calculate with",
            ),
            (Ty::Str { .. }, Ty::Pointer { .. }) | (Ty::Pointer { .. }, Ty::Str { .. }) => {
                d.help("read the string behind the pointer with `str()`")
            }
            (Ty::Str { .. }, Ty::Str { .. }) => d.help(
                "strings are compared with `==` and `!=`, put together with `str_concat()`, and searched with `strcontains()`",
            ),
            _ => d,
        };
        self.report(d);
        hir::Expr::poison(span)
    }

    pub(super) fn unary(&mut self, op: UnaryOp, operand: &Expr, span: Span) -> hir::Expr {
        let operand = match op {
            UnaryOp::AddressOf => return self.address(operand, span),
            UnaryOp::Comptime => return self.comptime(operand, span),
            _ => self.expr(operand),
        };
        if operand.ty.is_unknown() {
            return hir::Expr::poison(span);
        }
        match op {
            UnaryOp::Deref => self.deref(operand, span),
            UnaryOp::Not if operand.ty.is_condition() => match operand.constant() {
                Some(value) => hir::Expr { kind: ExprKind::Int(i64::from(value == 0)), ty: Ty::Bool, span },
                None => hir::Expr { kind: ExprKind::Not(Box::new(operand)), ty: Ty::Bool, span },
            },
            UnaryOp::Neg if operand.ty.is_integer() => match operand.constant() {
                Some(value) => {
                    let value = value.wrapping_neg();
                    hir::Expr { kind: ExprKind::Int(value), ty: Ty::of_literal(value), span }
                }
                None => {
                    let ty = if operand.ty.is_signed() { I64 } else { U64 };
                    hir::Expr { kind: ExprKind::Neg(Box::new(operand)), ty, span }
                }
            },
            UnaryOp::BitNot if operand.ty.is_integer() => {
                let ty = if operand.ty.is_signed() { I64 } else { U64 };
                match operand.constant() {
                    Some(value) => hir::Expr { kind: ExprKind::Int(!value), ty, span },
                    None => hir::Expr { kind: ExprKind::BitNot(Box::new(operand)), ty, span },
                }
            }
            _ => {
                let sign = match op {
                    UnaryOp::Neg => "-",
                    UnaryOp::BitNot => "~",
                    _ => "!",
                };
                self.error("E0311", span, format!("`{sign}` does not take `{}`", operand.ty))
            }
        }
    }

    fn deref(&mut self, operand: hir::Expr, span: Span) -> hir::Expr {
        let Ty::Pointer { to, space } = &operand.ty else {
            let d = Diagnostic::error("E0312", span, format!("`{}` is not a pointer", operand.ty));
            self.report(d.help("cast it first, as in `*(uint32 *)x`"));
            return hir::Expr::poison(span);
        };
        if **to == Ty::Void {
            return self.error("E0313", span, "this points to a type that is not known");
        }
        memory(operand.clone(), 0, (**to).clone(), *space, None, span)
    }
}

/// What lies `offset` bytes behind an address.
pub fn memory(address: hir::Expr, offset: i64, ty: Ty, space: Space, bits: Option<(u8, u8)>, span: Span) -> hir::Expr {
    hir::Expr { kind: ExprKind::Memory { address: Box::new(address), offset, space, bits }, ty, span }
}

/// `number * scale`, folded where the number is known.
pub fn scaled(number: hir::Expr, scale: i64) -> hir::Expr {
    let span = number.span;
    match number.constant() {
        Some(value) => hir::Expr { kind: ExprKind::Int(value.wrapping_mul(scale)), ty: I64, span },
        None if scale == 1 => number,
        None => {
            let right = Box::new(hir::Expr::int(scale, span));
            let kind = ExprKind::Binary { op: BinaryOp::Mul, signed: true, left: Box::new(number), right };
            hir::Expr { kind, ty: I64, span }
        }
    }
}

/// The type of a pointer to `to`.
pub fn pointer_to(to: Ty, space: Space) -> Ty {
    Ty::Pointer { to: Rc::new(to), space }
}

/// Tuples, records and buffers whose types differ in sizes only, as two of the type that holds both.
fn as_one_type(left: hir::Expr, right: hir::Expr) -> (hir::Expr, hir::Expr) {
    let composed = |ty: &Ty| matches!(ty, Ty::Tuple(_) | Ty::Record(_) | Ty::Buf { .. });
    if left.ty == right.ty || !composed(&left.ty) || !composed(&right.ty) {
        return (left, right);
    }
    let Some(ty) = unify(&left.ty, &right.ty) else { return (left, right) };
    let as_it = |e: hir::Expr| match e.ty == ty {
        true => e,
        false => hir::Expr { span: e.span, kind: ExprKind::Cast(Box::new(e)), ty: ty.clone() },
    };
    (as_it(left), as_it(right))
}

fn is_number(ty: &Ty) -> bool {
    ty.is_integer() || matches!(ty, Ty::Pointer { .. } | Ty::Username | Ty::CgroupPath | Ty::Timestamp { .. })
}
