//! The parser's state: the current token, how deep it is, what it found wrong; and the small steps every rule is made of.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lex::Lexer;
use crate::span::{Span, Spanned};
use crate::token::{Kind, Token};

use super::define::{Argument, Defines};

/// The rule could not be followed; why has been reported.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed;

pub(super) type Parsed<T> = Result<T, Failed>;

/// How many rules may be open at once: the bound of the parser's own recursion.
pub(super) const MAX_NESTING: u32 = 64;
/// The most levels of a tree: the bound of every later pass's recursion.
pub(super) const MAX_HEIGHT: u32 = 256;
/// After so many findings the rest of the script is likely misread.
const MAX_FINDINGS: usize = 50;

/// Reads one text.
pub(super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    pub(super) token: Token,
    /// Where the last taken token ended.
    pub(super) previous: Span,
    /// Levels of the tree the last rule made.
    pub(super) height: u32,
    /// Whether a `/` before a `{` ends a predicate instead of dividing.
    pub(super) in_predicate: bool,
    pub(super) defines: &'a Defines,
    /// Whether names of `#define`s are replaced.
    pub(super) expand: bool,
    /// What the body being expanded calls its arguments.
    pub(super) arguments: BTreeMap<String, Argument>,
    /// The `#define`s being expanded, outermost first.
    pub(super) expanding: Vec<String>,
    /// Bytes that may still be read more than once: the bound of what expansions and second attempts may cost.
    pub(super) budget: u32,
    pub(super) nesting: u32,
    /// A string without its end has taken the rest of its line, brackets and all.
    pub(super) swallowed: bool,
    /// The place everything is said to stand at: the use of the `#define` being expanded.
    pub(super) stands_at: Option<Span>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// A place to return to.
pub(super) struct Mark {
    token: Token,
    previous: Span,
    findings: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(mut lexer: Lexer<'a>, defines: &'a Defines, expand: bool) -> Self {
        let token = lexer.token();
        Self {
            lexer,
            token,
            previous: Span::default(),
            height: 0,
            in_predicate: false,
            defines,
            expand,
            arguments: BTreeMap::new(),
            expanding: vec![],
            budget: 1 << 20,
            nesting: 0,
            swallowed: false,
            stands_at: None,
            diagnostics: vec![],
        }
    }

    pub(super) fn comments(&self) -> &[Span] {
        self.lexer.comments()
    }

    pub(super) fn take_diagnostics_from(&mut self, list: Vec<Diagnostic>) {
        self.diagnostics.extend(list);
    }

    pub(super) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        if let Some(span) = self.lexer.open_comment() {
            self.report(Diagnostic::error("E0104", span, "this comment is not closed").help("close it with '*/'"));
        }
        let mut sorted = Diagnostics::default();
        self.diagnostics.drain(..).for_each(|diagnostic| sorted.push(diagnostic));
        sorted.into_sorted()
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MAX_FINDINGS {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Failed {
        self.report(Diagnostic::error(code, span, message));
        Failed
    }

    /// Says what should stand at the current token.
    pub(super) fn expected(&mut self, what: &str) -> Failed {
        let span = self.span();
        if self.token.kind == Kind::Unknown {
            let message = format!("the character {} has no meaning here", self.found());
            let mut finding = Diagnostic::error("E0101", span, message);
            if self.text(self.token).contains(['“', '”', '„', '‘', '’', '\'']) {
                finding = finding.help("strings stand in plain double quotes: \"text\"");
            }
            self.report(finding);
            return Failed;
        }
        let message = format!("expected {what}, found {}", self.found());
        self.error("E0106", span, message)
    }

    /// What messages call the current token.
    pub(super) fn found(&self) -> String {
        match self.token.kind {
            Kind::Ident | Kind::Int | Kind::Variable | Kind::Map | Kind::Positional | Kind::Unknown => {
                format!("'{}'", self.text(self.token))
            }
            kind => kind.describe().to_owned(),
        }
    }

    /// A token's text.
    pub(super) fn text(&self, token: Token) -> &'a str {
        self.lexer.text().get(token.span.range()).unwrap_or_default()
    }

    /// The place of the current token.
    pub(super) fn span(&self) -> Span {
        self.place(self.token.span)
    }

    /// The place a range of this text is said to stand at.
    pub(super) fn place(&self, span: Span) -> Span {
        self.stands_at.unwrap_or(span)
    }

    /// From `start` to the end of the last taken token.
    pub(super) fn since(&self, start: Span) -> Span {
        self.stands_at.unwrap_or(Span { start: start.start, end: self.previous.end.max(start.start) })
    }

    /// Takes the current token.
    pub(super) fn bump(&mut self) -> Token {
        let token = self.token;
        self.previous = token.span;
        self.token = self.lexer.token();
        token
    }

    pub(super) fn at(&self, kind: Kind) -> bool {
        self.token.kind == kind
    }

    /// Takes the current token if it is of this kind.
    pub(super) fn eat(&mut self, kind: Kind) -> bool {
        let there = self.at(kind);
        if there {
            self.bump();
        }
        there
    }

    pub(super) fn expect(&mut self, kind: Kind) -> Parsed<Token> {
        if self.at(kind) { Ok(self.bump()) } else { Err(self.expected(kind.describe())) }
    }

    /// Takes the bracket that closes the one at `open`.
    pub(super) fn expect_closing(&mut self, kind: Kind, open: Span) -> Parsed<()> {
        if self.eat(kind) {
            return Ok(());
        }
        if self.swallowed {
            return Err(Failed);
        }
        let message = format!("expected {}, found {}", kind.describe(), self.found());
        let span = self.span();
        let open = self.place(open);
        self.report(Diagnostic::error("E0108", span, message).related(open, "to close this"));
        Err(Failed)
    }

    /// Whether the current token is this name.
    pub(super) fn at_word(&self, word: &str) -> bool {
        self.at(Kind::Ident) && self.text(self.token) == word
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let there = self.at_word(word);
        if there {
            self.bump();
        }
        there
    }

    pub(super) fn expect_name(&mut self, what: &str) -> Parsed<Spanned<String>> {
        if self.at(Kind::Ident) { Ok(self.take_text()) } else { Err(self.expected(what)) }
    }

    /// Takes the current token as its text.
    pub(super) fn take_text(&mut self) -> Spanned<String> {
        let token = self.bump();
        Spanned { node: self.text(token).to_owned(), span: self.place(token.span) }
    }

    /// The kind of the token after the current one.
    pub(super) fn peek(&self) -> Kind {
        self.peek_token().kind
    }

    pub(super) fn peek_token(&self) -> Token {
        Lexer::starting_at(self.lexer.text(), self.lexer.pos()).token()
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { token: self.token, previous: self.previous, findings: self.diagnostics.len() }
    }

    /// Returns to a place and forgets what was found since.
    pub(super) fn reset(&mut self, mark: Mark) {
        self.budget = self.budget.saturating_sub(self.token.span.end.saturating_sub(mark.token.span.start));
        self.token = mark.token;
        self.previous = mark.previous;
        self.lexer.seek(mark.token.span.end as usize);
        self.diagnostics.truncate(mark.findings);
    }

    /// Reads on from a byte of the text.
    pub(super) fn resume_at(&mut self, pos: usize) {
        self.lexer.seek(pos);
        self.token = self.lexer.token();
    }

    /// Follows a rule one level down, within the bound of nesting.
    pub(super) fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= MAX_NESTING || self.budget == 0 {
            return Err(self.too_deep());
        }
        self.nesting += 1;
        let parsed = rule(self);
        self.nesting -= 1;
        parsed
    }

    /// Notes the height of a node over children of the given height.
    pub(super) fn above(&mut self, children: u32) -> Parsed<()> {
        self.height = children + 1;
        if self.height > MAX_HEIGHT { Err(self.too_deep()) } else { Ok(()) }
    }

    pub(super) fn too_deep(&mut self) -> Failed {
        let span = self.span();
        self.report(
            Diagnostic::error("E0105", span, "the script is nested too deeply here")
                .help("split the expression with scratch variables, or the chain of conditions with a map"),
        );
        Failed
    }

    /// Skips to the end of a statement: past its semicolon, or before the brace that closes its block.
    pub(super) fn skip_statement(&mut self) {
        let mut open = 0u32;
        loop {
            match self.token.kind {
                Kind::End => return,
                Kind::Semicolon if open == 0 => {
                    self.bump();
                    return;
                }
                Kind::LBrace => open += 1,
                Kind::RBrace if open == 0 => return,
                Kind::RBrace => {
                    open -= 1;
                    if open == 0 {
                        self.bump();
                        self.eat(Kind::Semicolon);
                        return;
                    }
                }
                _ => {}
            }
            self.bump();
        }
    }

    /// Skips to a `{` and past the `}` that closes it.
    pub(super) fn skip_block(&mut self) {
        let mut open = 0u32;
        while !self.at(Kind::End) {
            match self.bump().kind {
                Kind::LBrace => open += 1,
                Kind::RBrace if open <= 1 => return,
                Kind::RBrace => open -= 1,
                _ => {}
            }
        }
    }
}
