//! Attach points: `name=provider:part:part`, read from the text itself, since paths and wildcards are no tokens.
//!
//! An attach point ends at a blank, a comma, a brace or the slash of a predicate. A slash belongs to a path where the part
//! starts with `/` or `.`, or where the provider takes a path first; everywhere else it ends the attach point. Quotes protect
//! anything.

use crate::ast::AttachPoint;
use crate::lex::{is_name_byte, is_name_start, string};
use crate::span::{Span, Spanned};
use crate::token::Kind;

use super::cursor::{Parsed, Parser};

/// Providers whose first part is a path.
const PATH_PROVIDERS: &[&str] = &["uprobe", "uretprobe", "usdt", "u", "ur"];

/// Whether a slash in this part belongs to it.
pub(crate) fn is_path(provider: &str, index: usize, part: &str) -> bool {
    let takes_path = provider == "U" || PATH_PROVIDERS.contains(&provider.to_ascii_lowercase().as_str());
    (takes_path && index == 0) || part.starts_with(['/', '.'])
}

impl Parser<'_> {
    /// One or more, separated by commas; a comma may follow the last.
    pub(super) fn attach_points(&mut self) -> Parsed<Vec<AttachPoint>> {
        let mut points = vec![self.attach_point()?];
        while self.eat(Kind::Comma) {
            if matches!(self.token.kind, Kind::LBrace | Kind::Slash) {
                break;
            }
            points.push(self.attach_point()?);
        }
        Ok(points)
    }

    fn attach_point(&mut self) -> Parsed<AttachPoint> {
        let start = self.token.span.start as usize;
        if !(self.at(Kind::Ident) || self.at(Kind::Positional)) {
            return Err(self.expected("a probe"));
        }
        self.lexer.seek(start);
        let name = self.probe_name();
        let provider = self.part("", 0);
        let mut parts = vec![];
        while self.lexer.byte(0) == b':' {
            self.lexer.seek(self.lexer.pos() + 1);
            let part = self.part(&provider.node, parts.len());
            parts.push(part);
        }
        let end = self.lexer.pos();
        self.previous = Span::new(start, end);
        self.resume_at(end);
        Ok(AttachPoint { name, provider, parts, span: Span::new(start, end) })
    }

    /// `name=` before a provider.
    fn probe_name(&mut self) -> Option<Spanned<String>> {
        let start = self.lexer.pos();
        let mut length = 0;
        while is_name_byte(self.lexer.byte(length)) {
            length += 1;
        }
        if self.lexer.byte(length) != b'=' || !is_name_start(self.lexer.byte(length + 1)) {
            return None;
        }
        self.lexer.seek(start + length + 1);
        let span = Span::new(start, start + length);
        Some(Spanned { node: self.lexer.text().get(span.range())?.to_owned(), span })
    }

    fn part(&mut self, provider: &str, index: usize) -> Spanned<String> {
        let start = self.lexer.pos();
        let mut part = String::new();
        loop {
            let pos = self.lexer.pos();
            let Some(next) = self.lexer.text().get(pos..).and_then(|rest| rest.chars().next()) else { break };
            match next {
                ':' | ',' | '{' | '}' | ';' => break,
                c if c.is_whitespace() => break,
                '/' if provider.is_empty() => break,
                '/' if !part.is_empty() && !is_path(provider, index, &part) => break,
                '/' if part.is_empty()
                    && matches!(self.lexer.byte(1), b'/' | b'*')
                    && !is_path(provider, index, "") =>
                {
                    break;
                }
                '"' => self.quoted(&mut part),
                c => {
                    part.push(c);
                    self.lexer.seek(pos + c.len_utf8());
                }
            }
        }
        Spanned { node: part, span: Span::new(start, self.lexer.pos()) }
    }

    fn quoted(&mut self, part: &mut String) {
        let start = self.lexer.pos();
        let rest = self.lexer.text().get(start..).unwrap_or_default();
        let length = string::length(rest);
        match string::value(rest.get(..length).unwrap_or_default()) {
            Ok(text) => part.push_str(&text),
            Err((error, range)) => {
                self.error("E0110", Span::new(start + range.start, start + range.end), error.to_string());
            }
        }
        self.lexer.seek(start + length);
    }
}
