//! The conditions of `#if` and `#elif`: integers, names of `#define`s, `defined`, and C's operators.
//!
//! As in C, a name that nothing defines counts as 0.

use std::ops::Range;

use crate::ast::BinaryOp;
use crate::lex::{Lexer, number};
use crate::token::{Kind, Token, precedence};

use super::define::Defines;

/// Why a condition has no value.
pub(super) struct ConditionError {
    pub message: String,
    /// Bytes of the condition's text.
    pub at: Range<usize>,
}

/// How deep conditions may nest, names within names counted.
const MAX_DEPTH: u32 = 32;

/// How many operands a condition may have, those of names counted.
const MAX_STEPS: u32 = 10_000;

struct Reader<'a> {
    lexer: Lexer<'a>,
    token: Token,
    defines: &'a Defines,
    depth: u32,
    steps: &'a mut u32,
}

/// The value of a condition.
pub(super) fn evaluate(text: &str, defines: &Defines) -> Result<i64, ConditionError> {
    read(text, defines, 0, &mut 0)
}

fn read(text: &str, defines: &Defines, depth: u32, steps: &mut u32) -> Result<i64, ConditionError> {
    let mut lexer = Lexer::new(text);
    let token = lexer.token();
    let mut reader = Reader { lexer, token, defines, depth, steps };
    let value = reader.binary(0)?;
    if reader.token.kind == Kind::End { Ok(value) } else { Err(reader.unexpected()) }
}

impl Reader<'_> {
    fn bump(&mut self) -> Token {
        let token = self.token;
        self.token = self.lexer.token();
        token
    }

    fn unexpected(&self) -> ConditionError {
        let message = match self.token.kind {
            Kind::End => "the condition ends too early".to_owned(),
            _ => "this does not belong in a condition".to_owned(),
        };
        ConditionError { message, at: self.token.span.range() }
    }

    fn binary(&mut self, floor: u8) -> Result<i64, ConditionError> {
        let mut left = self.unary()?;
        while let Some(op) = self.token.kind.binary().filter(|op| precedence(*op) > floor) {
            let at = self.bump().span.range();
            let right = self.binary(precedence(op))?;
            left = apply(op, left, right)
                .ok_or_else(|| ConditionError { message: "division by zero in a condition".to_owned(), at })?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<i64, ConditionError> {
        self.depth += 1;
        *self.steps += 1;
        if self.depth > MAX_DEPTH || *self.steps > MAX_STEPS {
            return Err(ConditionError {
                message: "the condition is too deep or too long".to_owned(),
                at: self.token.span.range(),
            });
        }
        let token = self.bump();
        let value = match token.kind {
            Kind::Bang => i64::from(self.unary()? == 0),
            Kind::Minus => self.unary()?.wrapping_neg(),
            Kind::Plus => self.unary()?,
            Kind::Tilde => !self.unary()?,
            Kind::Int => self.integer(token)?,
            Kind::LParen => {
                let value = self.binary(0)?;
                self.close()?;
                value
            }
            Kind::Ident => self.name(token)?,
            _ => {
                self.token = token;
                return Err(self.unexpected());
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    fn text(&self, token: Token) -> &str {
        self.lexer.text().get(token.span.range()).unwrap_or_default()
    }

    fn integer(&self, token: Token) -> Result<i64, ConditionError> {
        number::value(self.text(token))
            .map(|value| value as i64)
            .map_err(|error| ConditionError { message: error.to_string(), at: token.span.range() })
    }

    fn close(&mut self) -> Result<(), ConditionError> {
        if self.token.kind == Kind::RParen {
            self.bump();
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn name(&mut self, token: Token) -> Result<i64, ConditionError> {
        let name = self.text(token).to_owned();
        if name == "defined" {
            let in_parens = self.token.kind == Kind::LParen;
            if in_parens {
                self.bump();
            }
            if self.token.kind != Kind::Ident {
                return Err(self.unexpected());
            }
            let name = self.bump();
            let value = i64::from(self.defines.contains_key(self.text(name)));
            if in_parens {
                self.close()?;
            }
            return Ok(value);
        }
        match self.defines.get(&name) {
            Some(define) if define.params.is_none() => read(&define.body, self.defines, self.depth, self.steps)
                .map_err(|error| ConditionError { at: token.span.range(), ..error }),
            _ => Ok(0),
        }
    }
}

/// `None` for a division by zero.
fn apply(op: BinaryOp, left: i64, right: i64) -> Option<i64> {
    let truth = |value: bool| Some(i64::from(value));
    match op {
        BinaryOp::Or => truth(left != 0 || right != 0),
        BinaryOp::And => truth(left != 0 && right != 0),
        BinaryOp::BitOr => Some(left | right),
        BinaryOp::BitXor => Some(left ^ right),
        BinaryOp::BitAnd => Some(left & right),
        BinaryOp::Eq => truth(left == right),
        BinaryOp::Ne => truth(left != right),
        BinaryOp::Lt => truth(left < right),
        BinaryOp::Le => truth(left <= right),
        BinaryOp::Gt => truth(left > right),
        BinaryOp::Ge => truth(left >= right),
        BinaryOp::Shl => Some(left.wrapping_shl(right as u32)),
        BinaryOp::Shr => Some(left.wrapping_shr(right as u32)),
        BinaryOp::Add => Some(left.wrapping_add(right)),
        BinaryOp::Sub => Some(left.wrapping_sub(right)),
        BinaryOp::Mul => Some(left.wrapping_mul(right)),
        BinaryOp::Div => left.checked_div(right),
        BinaryOp::Mod => left.checked_rem(right),
    }
}
