//! Blocks and statements.

use crate::ast::{Block, Expr, ExprKind, Stmt, StmtKind};
use crate::diagnostic::Diagnostic;
use crate::span::{Span, Spanned};
use crate::token::Kind;

use super::cursor::{Failed, Parsed, Parser};

/// What a statement rule made: a statement, or the value the block ends with.
enum Made {
    Statement(Stmt),
    Value(Expr),
    Nothing,
}

impl Parser<'_> {
    /// `{ stmts value? }`; statements that fail are reported and left out.
    pub(super) fn block(&mut self) -> Parsed<Block> {
        self.nested(Self::statements)
    }

    /// A block whose last expression is a statement, not a value.
    pub(super) fn body(&mut self) -> Parsed<Block> {
        self.block().map(without_value)
    }

    fn statements(&mut self) -> Parsed<Block> {
        let predicate = std::mem::take(&mut self.in_predicate);
        let open = self.expect(Kind::LBrace)?.span;
        let mut block = Block::default();
        let mut height = 0;
        while !self.at(Kind::RBrace) && !self.at(Kind::End) {
            let start = self.token.span;
            match self.statement() {
                Ok(Made::Statement(statement)) => block.stmts.push(statement),
                Ok(Made::Value(value)) => block.value = Some(Box::new(value)),
                Ok(Made::Nothing) => {}
                Err(Failed) => self.skip_statement(),
            }
            height = height.max(self.height);
            if self.token.span == start && !self.at(Kind::End) && !self.at(Kind::RBrace) {
                self.bump();
            }
        }
        self.in_predicate = predicate;
        self.expect_closing(Kind::RBrace, open)?;
        block.span = self.since(open);
        self.above(height)?;
        Ok(block)
    }

    fn statement(&mut self) -> Parsed<Made> {
        self.height = 1;
        let start = self.token.span;
        if self.eat(Kind::Semicolon) {
            return Ok(Made::Nothing);
        }
        let word = if self.at(Kind::Ident) { self.text(self.token) } else { "" };
        let node = match word {
            "let" => self.let_statement()?,
            "while" => self.while_statement()?,
            "unroll" => self.unroll_statement()?,
            "for" => self.for_statement()?,
            "break" => self.keyword_statement(StmtKind::Break)?,
            "continue" => self.keyword_statement(StmtKind::Continue)?,
            "return" => self.return_statement()?,
            "import" if self.peek() == Kind::Str => {
                let span = self.span();
                self.import()?;
                let message = "imports stand at the top of the script";
                return Err(self.error("E0116", span, message));
            }
            _ => return self.expression_statement(),
        };
        Ok(Made::Statement(Spanned { node, span: self.since(start) }))
    }

    fn keyword_statement(&mut self, kind: StmtKind) -> Parsed<StmtKind> {
        self.bump();
        self.end_of_statement()?;
        Ok(kind)
    }

    fn return_statement(&mut self) -> Parsed<StmtKind> {
        self.bump();
        let value =
            if matches!(self.token.kind, Kind::Semicolon | Kind::RBrace) { None } else { Some(self.expression()?) };
        self.end_of_statement()?;
        Ok(StmtKind::Return(value))
    }

    /// `let $x: type = value;`
    fn let_statement(&mut self) -> Parsed<StmtKind> {
        self.bump();
        if !self.at(Kind::Variable) {
            return Err(self.expected("a variable: let $name"));
        }
        let name = self.take_text();
        let ty = if self.eat(Kind::Colon) { Some(self.type_name()?) } else { None };
        let value = if self.eat(Kind::Assign) { Some(self.expression()?) } else { None };
        self.end_of_statement()?;
        Ok(StmtKind::Let { name, ty, value })
    }

    /// A condition with or without parentheses.
    pub(super) fn condition(&mut self) -> Parsed<Expr> {
        if !self.at(Kind::LParen) {
            return self.expression();
        }
        // `(x = 1)` would be read as a record.
        let mark = self.mark();
        let open = self.bump().span;
        let condition = self.expression()?;
        self.expect_closing(Kind::RParen, open)?;
        if self.at(Kind::LBrace) {
            return Ok(condition);
        }
        self.reset(mark);
        self.expression()
    }

    fn while_statement(&mut self) -> Parsed<StmtKind> {
        self.bump();
        let condition = self.condition()?;
        let body = self.body()?;
        Ok(StmtKind::While { condition, body })
    }

    fn unroll_statement(&mut self) -> Parsed<StmtKind> {
        self.bump();
        let count = self.condition()?;
        let body = self.body()?;
        Ok(StmtKind::Unroll { count, body })
    }

    /// `for ($kv : @map) { .. }` and `for ($i : a..b) { .. }`
    fn for_statement(&mut self) -> Parsed<StmtKind> {
        self.bump();
        let open = if self.at(Kind::LParen) { Some(self.bump().span) } else { None };
        if !self.at(Kind::Variable) {
            return Err(self.expected("a variable"));
        }
        let variable = self.take_text();
        self.expect(Kind::Colon)?;
        let start = self.expression()?;
        if self.eat(Kind::DotDot) {
            let end = self.expression()?;
            self.close_loop(open)?;
            let body = self.body()?;
            return Ok(StmtKind::ForRange { variable, start, end, body });
        }
        self.close_loop(open)?;
        let ExprKind::Map(name) = start.node else {
            let message = "a loop runs over a map or a range";
            self.report(Diagnostic::error("E0106", start.span, message).help("for ($kv : @map) or for ($i : 0..10)"));
            return Err(Failed);
        };
        let body = self.body()?;
        Ok(StmtKind::ForMap { variable, map: Spanned { node: name, span: start.span }, body })
    }

    fn close_loop(&mut self, open: Option<Span>) -> Parsed<()> {
        open.map_or(Ok(()), |open| self.expect_closing(Kind::RParen, open))
    }

    /// An assignment, an expression for its effect, or the value of the block.
    fn expression_statement(&mut self) -> Parsed<Made> {
        let start = self.token.span;
        let stands_alone = self.at_word("if") || self.at(Kind::LBrace);
        let expr = if stands_alone { self.primary()? } else { self.expression()? };
        if self.at(Kind::Assign) || self.token.kind.compound().is_some() {
            return self.assignment(start, expr).map(Made::Statement);
        }
        let ends_block = self.at(Kind::RBrace);
        if stands_alone {
            self.eat(Kind::Semicolon);
        } else {
            self.end_of_statement()?;
        }
        let is_value = ends_block && has_value(&expr.node);
        Ok(if is_value { Made::Value(expr) } else { Made::Statement(into_statement(expr)) })
    }

    fn assignment(&mut self, start: Span, target: Expr) -> Parsed<Stmt> {
        let op = self.token.kind.compound();
        self.bump();
        let height = self.height;
        let value = self.expression()?;
        self.above(height.max(self.height))?;
        self.end_of_statement()?;
        let span = self.since(start);
        match &target.node {
            ExprKind::Variable(_) | ExprKind::Map(_) | ExprKind::MapAccess { .. } => {}
            ExprKind::Ident(name) if name == "_" && op.is_none() => {}
            ExprKind::Field { .. } | ExprKind::Index { .. } => {
                self.report(
                    Diagnostic::error("E0109", target.span, "parts of a value cannot be assigned to")
                        .help("make a new value and assign it to the whole variable or map"),
                );
            }
            _ => {
                self.error("E0109", target.span, "only variables and maps can be assigned to");
            }
        }
        Ok(Spanned { node: StmtKind::Assign { target, op, value }, span })
    }

    /// Takes a semicolon, which may be absent before `}`. Where one is missing before something that may start a statement, that
    /// is reported and reading goes on as if it were there.
    pub(super) fn end_of_statement(&mut self) -> Parsed<()> {
        if self.eat(Kind::Semicolon) || self.at(Kind::RBrace) || self.at(Kind::End) {
            return Ok(());
        }
        let starts_statement = matches!(
            self.token.kind,
            Kind::Ident | Kind::Variable | Kind::Map | Kind::Int | Kind::Str | Kind::Positional | Kind::LBrace
        );
        if !starts_statement {
            return Err(self.expected("';'"));
        }
        let last = self.place(self.last_character());
        let next = self.span();
        let message = format!("expected ';' before {}", self.found());
        self.report(Diagnostic::error("E0107", next, message).related(last, "it belongs after this").help("add ';'"));
        Ok(())
    }

    /// The end of the last taken token: its last character.
    fn last_character(&self) -> Span {
        let taken = self.lexer.text().get(self.previous.range()).unwrap_or_default();
        let length = taken.chars().next_back().map_or(0, char::len_utf8);
        Span::new(self.previous.end as usize - length, self.previous.end as usize)
    }
}

/// Whether the expression is one that a block may end with: an `if` or a block counts where its own blocks do.
fn has_value(expr: &ExprKind) -> bool {
    match expr {
        ExprKind::If { then, .. } => then.value.is_some(),
        ExprKind::Block(block) => block.value.is_some(),
        _ => true,
    }
}

fn into_statement(expr: Expr) -> Stmt {
    let span = expr.span;
    let node = match expr.node {
        ExprKind::If { condition, then, otherwise } => {
            StmtKind::If { condition: *condition, then: without_value(then), otherwise: otherwise.map(without_value) }
        }
        ExprKind::Block(block) => StmtKind::Block(without_value(block)),
        _ => StmtKind::Expr(expr),
    };
    Spanned { node, span }
}

/// The block with its value, if any, as a last statement.
fn without_value(mut block: Block) -> Block {
    if let Some(value) = block.value.take() {
        block.stmts.push(into_statement(*value));
    }
    block
}
