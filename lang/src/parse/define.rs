//! `#define`s: what they hold, and what stands in the script where one is named.
//!
//! A body is read as one expression (or type) wherever its name is used as one, with its arguments in place of its parameters.
//! As in C, a name is not replaced inside its own body. Everything an expansion makes stands at the place of its use.

use std::collections::BTreeMap;

use crate::ast::{Expr, TypeBase};
use crate::diagnostic::Diagnostic;
use crate::lex::Lexer;
use crate::span::{Span, Spanned};
use crate::token::Kind;

use super::cursor::{Failed, Parsed, Parser};

/// The `#define`s of a script by name.
pub(crate) type Defines = BTreeMap<String, Define>;

/// One `#define`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Define {
    /// The parameters of `#define name(a, b) body`.
    pub params: Option<Vec<String>>,
    /// What it stands for, without comments.
    pub body: String,
    /// The whole line.
    pub span: Span,
}

/// What stands for a parameter while a body is read.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    expr: Expr,
    height: u32,
}

impl<'a> Parser<'a> {
    /// Whether something else stands for the current token, which is this name.
    pub(super) fn is_replaced(&self, name: &str) -> bool {
        self.arguments.contains_key(name) || self.define(name).is_some()
    }

    /// Whether a value, not a type, stands for the current token.
    pub(super) fn is_replaced_by_value(&self) -> bool {
        let name = self.text(self.token);
        if !self.expand {
            return false;
        }
        self.arguments.contains_key(name)
            || self.define(name).is_some_and(|define| {
                let first = define.body.split_whitespace().next().unwrap_or_default();
                !matches!(first, "struct" | "union" | "enum") && !super::ty::is_type(first)
            })
    }

    fn define(&self, name: &str) -> Option<&'a Define> {
        let defines: &'a Defines = self.defines;
        let define = defines.get(name)?;
        let is_named = define.params.is_none() || self.peek() == Kind::LParen;
        (is_named && !self.expanding.iter().any(|open| open == name)).then_some(define)
    }

    /// The expression that the current token, a replaced name, stands for.
    pub(super) fn replaced(&mut self) -> Parsed<Expr> {
        let start = self.token.span;
        let name = self.text(self.token).to_owned();
        if let Some(argument) = self.arguments.get(&name).cloned() {
            self.bump();
            self.height = argument.height;
            return Ok(argument.expr);
        }
        let Some(define) = self.define(&name) else { return Err(self.expected("an expression")) };
        self.bump();
        let arguments = self.arguments_of(&name, define)?;
        let span = self.since(start);
        let node = self.in_body(&name, define, span, arguments, Self::expression)?.node;
        Ok(Spanned { node, span })
    }

    /// The type that the current token, a replaced name, stands for.
    pub(super) fn replaced_type(&mut self) -> Parsed<TypeBase> {
        let name = self.text(self.token).to_owned();
        let Some(define) = self.define(&name) else { return Err(self.expected("a type")) };
        let token = self.bump();
        let span = self.place(token.span);
        self.in_body(&name, define, span, BTreeMap::new(), Self::type_base)
    }

    fn arguments_of(&mut self, name: &str, define: &Define) -> Parsed<BTreeMap<String, Argument>> {
        let Some(params) = &define.params else { return Ok(BTreeMap::new()) };
        let open = self.expect(Kind::LParen)?.span;
        let arguments = self.list(Kind::RParen, |parser| {
            let expr = parser.expression()?;
            Ok(Argument { expr, height: parser.height })
        })?;
        self.expect_closing(Kind::RParen, open)?;
        if arguments.len() != params.len() {
            let span = self.place(open.to(self.previous));
            let message = format!("'{name}' takes {} arguments, not {}", params.len(), arguments.len());
            self.report(Diagnostic::error("E0112", span, message).related(define.span, "defined here"));
            return Err(Failed);
        }
        Ok(params.iter().cloned().zip(arguments).collect())
    }

    /// Follows a rule over the whole body of a `#define`.
    fn in_body<T>(
        &mut self,
        name: &str,
        define: &'a Define,
        span: Span,
        arguments: BTreeMap<String, Argument>,
        rule: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let mut body = Parser::new(Lexer::new(&define.body), self.defines, true);
        body.stands_at = Some(span);
        body.arguments = arguments;
        body.expanding = self.expanding.iter().cloned().chain([name.to_owned()]).collect();
        body.budget = self.budget.saturating_sub(define.body.len() as u32 + 1);
        body.nesting = self.nesting;
        let mut parsed = body.nested(rule);
        if parsed.is_ok() && !body.at(Kind::End) {
            parsed = Err(body.expected("the end of the definition"));
        }
        self.height = body.height;
        self.budget = body.budget;
        let parsed = parsed.ok().filter(|_| body.diagnostics.is_empty());
        parsed.ok_or_else(|| {
            let why = body.diagnostics.into_iter().next().map(|first| first.message).unwrap_or_default();
            let message = format!("'{name}' cannot be used here: {why}");
            self.report(Diagnostic::error("E0112", span, message).related(define.span, "defined here"));
            Failed
        })
    }
}
