//! Expressions by precedence: ternary, binary, unary, postfix.

use crate::ast::{Expr, ExprKind, StepOp, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::span::{Span, Spanned};
use crate::token::{Kind, precedence};

use super::cursor::{Parsed, Parser};

impl Parser<'_> {
    /// Any expression.
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.nested(Self::ternary)
    }

    /// `c ? a : b`, `c ?: b`
    fn ternary(&mut self) -> Parsed<Expr> {
        let condition = self.binary(0)?;
        if !self.eat(Kind::Question) {
            return Ok(condition);
        }
        let mut height = self.height;
        let then = if self.at(Kind::Colon) {
            None
        } else {
            let then = self.expression()?;
            height = height.max(self.height);
            Some(Box::new(then))
        };
        self.expect(Kind::Colon)?;
        let otherwise = self.expression()?;
        self.above(height.max(self.height))?;
        let span = condition.span.to(otherwise.span);
        let node = ExprKind::Ternary { condition: Box::new(condition), then, otherwise: Box::new(otherwise) };
        Ok(Spanned { node, span })
    }

    /// Operators that bind tighter than `floor`, which all group to the left.
    fn binary(&mut self, floor: u8) -> Parsed<Expr> {
        let mut left = self.unary()?;
        let mut height = self.height;
        while let Some(op) = self.token.kind.binary() {
            if precedence(op) <= floor || self.closes_predicate() {
                break;
            }
            self.bump();
            let right = self.binary(precedence(op))?;
            self.above(height.max(self.height))?;
            height = self.height;
            let span = left.span.to(right.span);
            left = Spanned { node: ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, span };
        }
        self.height = height;
        Ok(left)
    }

    fn closes_predicate(&self) -> bool {
        self.in_predicate && self.at(Kind::Slash) && self.peek() == Kind::LBrace
    }

    /// `-x`, `!x`, `~x`, `*x`, `&x`, `++x`, `--x`
    pub(super) fn unary(&mut self) -> Parsed<Expr> {
        let start = self.token.span;
        let step = match self.token.kind {
            Kind::PlusPlus => Some(StepOp::PreIncrement),
            Kind::MinusMinus => Some(StepOp::PreDecrement),
            _ => None,
        };
        let op = match self.token.kind {
            Kind::Minus => Some(UnaryOp::Neg),
            Kind::Bang => Some(UnaryOp::Not),
            Kind::Tilde => Some(UnaryOp::BitNot),
            Kind::Star => Some(UnaryOp::Deref),
            Kind::Amp => Some(UnaryOp::AddressOf),
            Kind::Ident if self.at_comptime() => Some(UnaryOp::Comptime),
            _ => None,
        };
        if step.is_none() && op.is_none() {
            let primary = self.primary()?;
            return self.postfix(primary);
        }
        self.bump();
        let operand = self.nested(Self::unary)?;
        self.above(self.height)?;
        let span = self.since(start);
        if let Some(op) = step {
            return Ok(self.step(op, operand, span));
        }
        let op = op.unwrap_or(UnaryOp::Neg);
        Ok(Spanned { node: ExprKind::Unary { op, operand: Box::new(operand) }, span })
    }

    /// Whether the current token is `comptime` before a value.
    fn at_comptime(&self) -> bool {
        use Kind::{Bang, Ident, Int, LParen, Minus, Positional, Str, Tilde, Variable};
        self.at_word("comptime")
            && matches!(self.peek(), Bang | Ident | Int | LParen | Minus | Positional | Str | Tilde | Variable)
    }

    fn step(&mut self, op: StepOp, target: Expr, span: Span) -> Expr {
        if !matches!(target.node, ExprKind::Variable(_) | ExprKind::Map(_) | ExprKind::MapAccess { .. }) {
            let message = "only variables and maps can be counted up or down";
            self.report(Diagnostic::error("E0113", target.span, message).help("write the sum with '+ 1' or '- 1'"));
        }
        Spanned { node: ExprKind::Step { op, target: Box::new(target) }, span }
    }

    /// `x.field`, `x->field`, `x.0`, `x[i]`, `x++`, `x--`
    pub(super) fn postfix(&mut self, mut expr: Expr) -> Parsed<Expr> {
        let mut height = self.height;
        loop {
            match self.token.kind {
                Kind::Dot | Kind::Arrow => expr = self.field(expr)?,
                Kind::LBracket => {
                    let open = self.bump().span;
                    let index = self.outside_predicate(Self::expression)?;
                    height = height.max(self.height);
                    self.expect_closing(Kind::RBracket, open)?;
                    let span = expr.span.to(self.place(self.previous));
                    expr = Spanned { node: ExprKind::Index { base: Box::new(expr), index: Box::new(index) }, span };
                }
                Kind::PlusPlus | Kind::MinusMinus => {
                    let up = self.bump().kind == Kind::PlusPlus;
                    let span = expr.span.to(self.place(self.previous));
                    let op = if up { StepOp::PostIncrement } else { StepOp::PostDecrement };
                    expr = self.step(op, expr, span);
                }
                _ => break,
            }
            self.above(height)?;
            height = self.height;
        }
        self.height = height;
        Ok(expr)
    }

    fn field(&mut self, base: Expr) -> Parsed<Expr> {
        let arrow = self.bump().kind == Kind::Arrow;
        if !matches!(self.token.kind, Kind::Ident | Kind::Int) {
            return Err(self.expected("the name of a field"));
        }
        let field = self.take_text();
        if field.node.starts_with(|c: char| c.is_ascii_digit()) && !field.node.bytes().all(|b| b.is_ascii_digit()) {
            self.error("E0106", field.span, "an element of a tuple is named by a plain number");
        }
        let span = base.span.to(field.span);
        Ok(Spanned { node: ExprKind::Field { base: Box::new(base), field, arrow }, span })
    }

    /// Inside brackets a `/` always divides.
    pub(super) fn outside_predicate<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let predicate = std::mem::take(&mut self.in_predicate);
        let parsed = rule(self);
        self.in_predicate = predicate;
        parsed
    }
}
