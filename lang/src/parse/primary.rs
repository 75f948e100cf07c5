//! The innermost expressions: literals, names, calls, maps, parentheses with what they may mean, `if` and blocks as values.

use crate::ast::{Block, Expr, ExprKind};
use crate::diagnostic::Diagnostic;
use crate::span::{Span, Spanned};
use crate::token::Kind;

use super::cursor::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        self.height = 1;
        let start = self.token.span;
        let node = match self.token.kind {
            Kind::Int => self.int_literal(),
            Kind::Str => ExprKind::Str(self.string().node),
            Kind::Variable => ExprKind::Variable(self.take_text().node),
            Kind::Positional => self.positional(),
            Kind::PositionalCount => {
                self.bump();
                ExprKind::PositionalCount
            }
            Kind::Map => self.map()?,
            Kind::LParen => return self.outside_predicate(Self::parenthesis),
            Kind::LBrace => ExprKind::Block(self.block()?),
            Kind::Ident => return self.word(),
            _ => return Err(self.expected("an expression")),
        };
        Ok(Spanned { node, span: self.since(start) })
    }

    fn int_literal(&mut self) -> ExprKind {
        let text = self.text(self.token).to_owned();
        ExprKind::Int { value: self.integer().node, text }
    }

    fn positional(&mut self) -> ExprKind {
        let text = self.take_text();
        match text.node.trim_start_matches('$').parse::<u32>() {
            Ok(number) if number > 0 => ExprKind::Positional(number),
            _ => {
                let message = format!("{} is no positional parameter: they count from $1 to ${}", text.node, u32::MAX);
                self.error("E0115", text.span, message);
                ExprKind::Positional(1)
            }
        }
    }

    fn map(&mut self) -> Parsed<ExprKind> {
        let name = self.take_text();
        if !self.at(Kind::LBracket) {
            return Ok(ExprKind::Map(name.node));
        }
        let open = self.bump().span;
        let key = self.list(Kind::RBracket, Self::expression)?;
        if key.is_empty() {
            return Err(self.expected("a key"));
        }
        self.expect_closing(Kind::RBracket, open)?;
        Ok(ExprKind::MapAccess { name, key })
    }

    /// `item, item` up to, but not including, the closing bracket.
    pub(super) fn list<T>(&mut self, close: Kind, item: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![];
        let mut height = 0;
        while !self.at(close) {
            items.push(self.outside_predicate(&item)?);
            height = height.max(self.height);
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        self.above(height)?;
        Ok(items)
    }

    /// A name, a keyword or a call.
    fn word(&mut self) -> Parsed<Expr> {
        let start = self.token.span;
        let called = self.peek() == Kind::LParen;
        let node = match self.text(self.token) {
            "if" => self.if_value()?,
            "sizeof" if called => {
                let operand = self.type_or_expr_in_parens()?;
                ExprKind::Sizeof(operand)
            }
            "typeof" if called => {
                let operand = self.type_or_expr_in_parens()?;
                ExprKind::Typeof(operand)
            }
            "typeinfo" if called => {
                let operand = self.type_or_expr_in_parens()?;
                ExprKind::Typeinfo(operand)
            }
            "offsetof" if called => self.offsetof()?,
            "true" | "false" => ExprKind::Bool(self.take_text().node == "true"),
            word if self.expand && self.is_replaced(word) => return self.replaced(),
            _ if called => self.call()?,
            _ => ExprKind::Ident(self.take_text().node),
        };
        Ok(Spanned { node, span: self.since(start) })
    }

    fn call(&mut self) -> Parsed<ExprKind> {
        let name = self.take_text();
        let open = self.expect(Kind::LParen)?.span;
        let args = self.list(Kind::RParen, Self::expression)?;
        self.expect_closing(Kind::RParen, open)?;
        Ok(ExprKind::Call { name, args })
    }

    fn offsetof(&mut self) -> Parsed<ExprKind> {
        self.bump();
        let open = self.expect(Kind::LParen)?.span;
        let base = self.type_or_expr(&[Kind::Comma])?;
        self.expect(Kind::Comma)?;
        let mut path = vec![self.expect_name("the name of a field")?];
        while self.eat(Kind::Dot) {
            path.push(self.expect_name("the name of a field")?);
        }
        self.expect_closing(Kind::RParen, open)?;
        self.above(self.height)?;
        Ok(ExprKind::Offsetof { base, path })
    }

    /// `if c { a } else { b }`; `else if` nests.
    fn if_value(&mut self) -> Parsed<ExprKind> {
        self.bump();
        let condition = self.outside_predicate(Self::condition)?;
        let mut height = self.height;
        let then = self.block()?;
        height = height.max(self.height);
        let otherwise = if self.eat_word("else") {
            let block = if self.at_word("if") { self.nested(Self::else_if)? } else { self.block()? };
            height = height.max(self.height);
            Some(block)
        } else {
            None
        };
        self.above(height)?;
        Ok(ExprKind::If { condition: Box::new(condition), then, otherwise })
    }

    fn else_if(&mut self) -> Parsed<Block> {
        let start = self.token.span;
        let node = self.if_value()?;
        let span = self.since(start);
        Ok(Block { stmts: vec![], value: Some(Box::new(Spanned { node, span })), span })
    }

    /// `(x)`, `(a, b)`, `(a,)`, `()`, `(a = 1)` or `(type)x`
    fn parenthesis(&mut self) -> Parsed<Expr> {
        let open = self.bump().span;
        if self.at(Kind::Ident) && self.peek() == Kind::Assign {
            return self.record(open);
        }
        if let Some(cast) = self.cast(open)? {
            return Ok(cast);
        }
        if self.eat(Kind::RParen) {
            return Ok(Spanned { node: ExprKind::Tuple(vec![]), span: self.since(open) });
        }
        let first = self.expression()?;
        if !self.at(Kind::Comma) {
            self.expect_closing(Kind::RParen, open)?;
            // The parentheses belong to the place, so that messages underline what was written.
            return Ok(Spanned { node: first.node, span: self.since(open) });
        }
        self.bump();
        let height = self.height;
        let mut items = vec![first];
        items.extend(self.list(Kind::RParen, Self::expression)?);
        self.above(height.max(self.height))?;
        self.expect_closing(Kind::RParen, open)?;
        Ok(Spanned { node: ExprKind::Tuple(items), span: self.since(open) })
    }

    fn record(&mut self, open: Span) -> Parsed<Expr> {
        let fields = self.list(Kind::RParen, |parser| {
            let name = parser.expect_name("the name of a field")?;
            parser.expect(Kind::Assign)?;
            Ok((name, parser.expression()?))
        })?;
        self.expect_closing(Kind::RParen, open)?;
        for (index, (name, _)) in fields.iter().enumerate() {
            if let Some((first, _)) = fields.iter().take(index).find(|(other, _)| other.node == name.node) {
                let message = format!("the record has the field '{}' already", name.node);
                self.report(Diagnostic::error("E0114", name.span, message).related(first.span, "the first is here"));
            }
        }
        Ok(Spanned { node: ExprKind::Record(fields), span: self.since(open) })
    }
}
