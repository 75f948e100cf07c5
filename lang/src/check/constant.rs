//! Constants: what is known before the script runs.

use super::Checker;
use crate::ast::BinaryOp;
use crate::hir::{self, ExprKind};
use crate::span::Span;
use crate::types::{I64, Ty, U64};

/// A number as a user gives it: decimal, octal with a leading 0, hexadecimal; perhaps negative.
pub fn parse_integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = digits.replace('_', "");
    let value = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        u64::from_str_radix(hex, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        u64::from_str_radix(&digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    let value = value as i64;
    Some(if negative { value.wrapping_neg() } else { value })
}

impl Checker<'_> {
    /// The value of an operator between two constants.
    pub(super) fn fold(&mut self, op: BinaryOp, left: &hir::Expr, right: &hir::Expr, span: Span) -> Option<hir::Expr> {
        let (a, b) = (wide(left)?, wide(right)?);
        if matches!(op, BinaryOp::Div | BinaryOp::Mod) && b == 0 {
            return Some(self.error("E0308", span, "a division of constants by zero"));
        }
        let value = compute(op, a, b)?;
        if is_comparison(op) {
            return Some(hir::Expr { kind: ExprKind::Int(value as i64), ty: Ty::Bool, span });
        }
        if let Ok(value) = i64::try_from(value) {
            let ty = folded_type(op, value, left, right);
            return Some(hir::Expr { kind: ExprKind::Int(value), ty, span });
        }
        if let Ok(value) = u64::try_from(value) {
            return Some(hir::Expr { kind: ExprKind::Int(value as i64), ty: U64, span });
        }
        Some(self.error("E0309", span, "the value of this constant does not fit in 64 bits"))
    }
}

/// Literals make literals; else it is the type that the operator gives to what is known late.
fn folded_type(op: BinaryOp, value: i64, left: &hir::Expr, right: &hir::Expr) -> Ty {
    let is_literal = |e: &hir::Expr| matches!(e.kind, ExprKind::Int(value) if e.ty == Ty::of_literal(value));
    let unsigned = |e: &hir::Expr| !e.ty.is_signed() || (is_literal(e) && value >= 0);
    match (is_literal(left), is_literal(right)) {
        (true, true) => Ty::of_literal(value),
        _ if op != BinaryOp::Sub && unsigned(left) && unsigned(right) => U64,
        _ => I64,
    }
}

/// A constant with its sign, as wide as no operator between two of them leaves.
fn wide(e: &hir::Expr) -> Option<i128> {
    if !e.ty.is_integer() {
        return None;
    }
    let value = e.constant()?;
    Some(if e.ty == U64 { i128::from(value as u64) } else { i128::from(value) })
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::*;
    matches!(op, Or | And | Eq | Ne | Lt | Le | Gt | Ge)
}

fn compute(op: BinaryOp, a: i128, b: i128) -> Option<i128> {
    let shift = || u32::try_from(b).ok().filter(|b| *b < 64);
    Some(match op {
        BinaryOp::Or => i128::from(a != 0 || b != 0),
        BinaryOp::And => i128::from(a != 0 && b != 0),
        BinaryOp::Eq => i128::from(a == b),
        BinaryOp::Ne => i128::from(a != b),
        BinaryOp::Lt => i128::from(a < b),
        BinaryOp::Le => i128::from(a <= b),
        BinaryOp::Gt => i128::from(a > b),
        BinaryOp::Ge => i128::from(a >= b),
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
        BinaryOp::BitAnd => a & b,
        BinaryOp::Shl => i128::from((a as i64).checked_shl(shift()?)?),
        BinaryOp::Shr => a >> shift()?,
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a.checked_mul(b)?,
        BinaryOp::Div => a.checked_div(b)?,
        BinaryOp::Mod => a.checked_rem(b)?,
    })
}

#[cfg(test)]
mod tests {
    use super::parse_integer;

    #[test]
    fn an_argument_is_a_number_in_three_bases() {
        assert_eq!(parse_integer("42"), Some(42));
        assert_eq!(parse_integer("-0x10"), Some(-16));
        assert_eq!(parse_integer("010"), Some(8));
        assert_eq!(parse_integer("bash"), None);
        assert_eq!(parse_integer("12x"), None);
    }
}
