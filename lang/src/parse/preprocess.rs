//! Lines that start with `#`: which are directives, which parts of the script they leave out, and what they define.
//!
//! Directives and left-out parts are overwritten with blanks, so that every place in the text stays true for the parser. A line
//! that starts with `#` and is no directive stays and is a comment. Inside braces, where people write `# like this`, only `#`
//! directly before the directive's name makes one. `BPFTRACE_HAVE_BTF` is always defined: types come from the kernel.
//! `#include`s are kept for later passes to judge.

use std::borrow::Cow;

use crate::ast::Preamble;
use crate::diagnostic::Diagnostic;
use crate::lex::{is_name_byte, is_name_start};
use crate::span::{Span, Spanned};

use super::condition;
use super::define::{Define, Defines};

/// A script without its directives.
pub(super) struct Source<'a> {
    /// As long as the script, line for line.
    pub text: Cow<'a, str>,
    /// The directives in effect.
    pub directives: Vec<Preamble>,
    /// What they define.
    pub defines: Defines,
    /// What they leave out.
    pub left_out: Vec<Span>,
    pub diagnostics: Vec<Diagnostic>,
}

/// An open `#if`.
struct Branch {
    opened: Span,
    /// One of its parts has been chosen.
    chosen: bool,
    /// The present part is in effect.
    active: bool,
    has_else: bool,
}

struct Pass<'a> {
    source: Source<'a>,
    branches: Vec<Branch>,
    blanks: Vec<Span>,
}

/// Separates a script, which starts at byte `start` of the text, from its directives; `defines` hold before it.
pub(super) fn preprocess(text: &str, start: usize, mut defines: Defines) -> Source<'_> {
    let have_btf = Define { params: None, body: "1".to_owned(), span: Span::default() };
    defines.entry("BPFTRACE_HAVE_BTF".to_owned()).or_insert(have_btf);
    let source =
        Source { text: Cow::Borrowed(text), directives: vec![], defines, left_out: vec![], diagnostics: vec![] };
    if memchr::memchr(b'#', text.as_bytes().get(start..).unwrap_or_default()).is_none() {
        return source;
    }
    let mut pass = Pass { source, branches: vec![], blanks: vec![] };
    pass.lines(text, start);
    pass.finish(text)
}

/// Where an item of the preamble stands.
pub(super) fn place(item: &Preamble) -> Span {
    match item {
        Preamble::Directive(text) | Preamble::Definition(text) | Preamble::Import(text) => text.span,
    }
}

impl Pass<'_> {
    fn lines(&mut self, text: &str, mut start: usize) {
        let mut state = LineState::default();
        while start < text.len() {
            let own_end = start + own_line(text, start).len();
            let own = text.get(start..own_end).unwrap_or_default();
            // Only directives go on over a backslash.
            let head = own.trim_end_matches(|c: char| c == '\\' || c.is_whitespace());
            let found = directive(head, &state);
            let end = if found.is_some() { logical_end(text, start) } else { own_end };
            let next = if end < text.len() { end + 1 } else { end };
            match found {
                Some((name, rest)) => {
                    let line = text.get(start..end).unwrap_or_default();
                    let rest = line.get(offset_in(head, rest)..).unwrap_or_default();
                    let indent = line.len() - line.trim_start().len();
                    let span = Span::new(start + indent, start + line.trim_end().len());
                    self.blanks.push(span);
                    let note = Line { name, rest, span, rest_at: start + offset_in(line, rest) };
                    self.directive(text, &note);
                }
                None if !self.is_active() => {
                    let span = Span::new(start, end);
                    self.blanks.push(span);
                    self.source.left_out.push(span);
                }
                None => state.read(own),
            }
            start = next;
        }
    }

    fn is_active(&self) -> bool {
        self.branches.iter().all(|branch| branch.active)
    }

    fn directive(&mut self, text: &str, line: &Line<'_>) {
        let turns = matches!(line.name, "elif" | "else" | "endif");
        let in_effect = self.branches.iter().rev().skip(usize::from(turns)).all(|branch| branch.active);
        let node = text.get(line.span.range()).unwrap_or_default().to_owned();
        if in_effect {
            self.source.directives.push(Preamble::Directive(Spanned { node, span: line.span }));
        } else {
            self.source.left_out.push(line.span);
        }
        match line.name {
            "if" | "ifdef" | "ifndef" => {
                let active = self.is_active() && self.holds(line);
                self.branches.push(Branch { opened: line.span, chosen: active, active, has_else: false });
            }
            "elif" | "else" | "endif" => self.turn(line),
            _ if !in_effect => {}
            "define" => self.define(line),
            "undef" => {
                self.source.defines.remove(line.rest.trim());
            }
            "error" => self.error(line.span, format!("#error: {}", line.rest.trim())),
            _ => {}
        }
    }

    fn holds(&mut self, line: &Line<'_>) -> bool {
        let name = line.rest.trim();
        match line.name {
            "ifdef" => self.source.defines.contains_key(name),
            "ifndef" => !self.source.defines.contains_key(name),
            _ => match condition::evaluate(line.rest, &self.source.defines) {
                Ok(value) => value != 0,
                Err(error) => {
                    let start = line.rest_at + error.at.start;
                    self.error(Span::new(start, line.rest_at + error.at.end), error.message);
                    false
                }
            },
        }
    }

    /// `#elif`, `#else` and `#endif`.
    fn turn(&mut self, line: &Line<'_>) {
        let Some(mut branch) = self.branches.pop() else {
            self.error(line.span, format!("#{} without #if", line.name));
            return;
        };
        if line.name == "endif" {
            return;
        }
        if branch.has_else {
            let finding = Diagnostic::error("E0111", line.span, format!("#{} after #else", line.name));
            self.source.diagnostics.push(finding.related(branch.opened, "this #if has its #else already"));
        }
        branch.has_else |= line.name == "else";
        branch.active = !branch.chosen && self.is_active() && (line.name == "else" || self.holds(line));
        branch.chosen |= branch.active;
        self.branches.push(branch);
    }

    fn define(&mut self, line: &Line<'_>) {
        let rest = line.rest.trim_start();
        let length = rest.bytes().position(|b| !is_name_byte(b)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(length);
        if !name.bytes().next().is_some_and(is_name_start) {
            self.error(line.span, "#define needs a name");
            return;
        }
        let (params, body) = match after.strip_prefix('(') {
            None => (None, after),
            Some(inner) => {
                let Some((params, body)) = inner.split_once(')') else {
                    self.error(line.span, "the parameters of this #define are not closed");
                    return;
                };
                let params = params.split(',').map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect();
                (Some(params), body)
            }
        };
        let body = without_comments(body);
        self.source.defines.insert(name.to_owned(), Define { params, body, span: line.span });
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.source.diagnostics.push(Diagnostic::error("E0111", span, message));
    }

    fn finish<'b>(mut self, text: &'b str) -> Source<'b>
    where
        Self: 'b,
    {
        for branch in std::mem::take(&mut self.branches) {
            self.error(branch.opened, "this #if has no #endif");
        }
        let mut blanked = String::with_capacity(text.len());
        let mut done = 0;
        for blank in &self.blanks {
            blanked.push_str(text.get(done..blank.start as usize).unwrap_or_default());
            let hidden = text.get(blank.range()).unwrap_or_default();
            blanked.extend(hidden.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
            done = blank.end as usize;
        }
        blanked.push_str(text.get(done..).unwrap_or_default());
        Source {
            text: Cow::Owned(blanked),
            directives: self.source.directives,
            defines: self.source.defines,
            left_out: self.source.left_out,
            diagnostics: self.source.diagnostics,
        }
    }
}

/// A directive, in pieces.
struct Line<'a> {
    name: &'a str,
    /// What follows the name.
    rest: &'a str,
    span: Span,
    /// Where the rest starts in the script.
    rest_at: usize,
}

/// What a line inherits from those before it.
#[derive(Default)]
struct LineState {
    in_comment: bool,
    /// Braces that are open.
    depth: u32,
}

impl LineState {
    /// Follows comments, strings and braces through a line.
    fn read(&mut self, line: &str) {
        let bytes = line.as_bytes();
        let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
        let mut i = 0;
        while i < bytes.len() {
            if self.in_comment {
                let close = memchr::memmem::find(bytes.get(i..).unwrap_or_default(), b"*/");
                let Some(length) = close else { return };
                self.in_comment = false;
                i += length + 2;
                continue;
            }
            match (at(i), at(i + 1)) {
                (b'/', b'/') if !in_attach_point(line, i) => return,
                (b'/', b'*') if !in_attach_point(line, i) => {
                    self.in_comment = true;
                    i += 1;
                }
                (b'"', _) => i += crate::lex::string::length(line.get(i..).unwrap_or_default()).saturating_sub(1),
                (b'{', _) => self.depth += 1,
                (b'}', _) => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            i += 1;
        }
    }
}

/// Whether the word that ends at `end` holds a colon: slashes and stars after it belong to a path or a wildcard.
fn in_attach_point(line: &str, end: usize) -> bool {
    let before = line.get(..end).unwrap_or_default();
    before.rsplit([' ', '\t', '{', ';']).next().is_some_and(|word| word.contains(':'))
}

/// The name of the directive on a line and what follows it.
fn directive<'a>(line: &'a str, state: &LineState) -> Option<(&'a str, &'a str)> {
    if state.in_comment {
        return None;
    }
    let rest = line.trim_start().strip_prefix('#')?;
    let word = rest.trim_start_matches([' ', '\t']);
    let length = word.bytes().position(|b| !is_name_byte(b)).unwrap_or(word.len());
    let (name, after) = word.split_at(length);
    let apart = word.len() != rest.len();
    let known = matches!(
        name,
        "include"
            | "define"
            | "undef"
            | "if"
            | "ifdef"
            | "ifndef"
            | "elif"
            | "else"
            | "endif"
            | "error"
            | "warning"
            | "pragma"
    );
    (known && !(apart && (state.depth > 0 || !reads_as_directive(name, after)))).then_some((name, after))
}

/// Whether `# name rest` is meant as a directive and not as a comment in prose.
fn reads_as_directive(name: &str, rest: &str) -> bool {
    let words = rest.split_whitespace().count();
    match name {
        "include" => rest.trim_start().starts_with(['<', '"']),
        "ifdef" | "ifndef" | "undef" => words == 1,
        "else" | "endif" => words == 0,
        "define" => words <= 2,
        _ => false,
    }
}

/// The line at `start`, without its end.
fn own_line(text: &str, start: usize) -> &str {
    let rest = text.get(start..).unwrap_or_default();
    memchr::memchr(b'\n', rest.as_bytes()).and_then(|length| rest.get(..length)).unwrap_or(rest)
}

/// The end of the last line that the one at `start` goes on in by a backslash. As for C's compilers, blanks may follow it.
fn logical_end(text: &str, start: usize) -> usize {
    let mut from = start;
    loop {
        let line = own_line(text, from);
        let end = from + line.len();
        if end >= text.len() || !goes_on(line) {
            return end;
        }
        from = end + 1;
    }
}

/// Whether a line of a directive joins the next one.
fn goes_on(line: &str) -> bool {
    line.trim_end().ends_with('\\')
}

fn offset_in(line: &str, rest: &str) -> usize {
    line.len() - rest.len()
}

/// The body of a `#define` without comments and joined over backslashes.
fn without_comments(body: &str) -> String {
    let pieces = body.split('\n').map(|line| match goes_on(line) {
        true => line.trim_end().strip_suffix('\\').unwrap_or(line),
        false => line,
    });
    let joined = pieces.collect::<Vec<_>>().join(" ");
    let mut clean = String::new();
    let mut rest = joined.as_str();
    while let Some(at) = rest.find(['/', '"']) {
        let (plain, from) = rest.split_at(at);
        clean.push_str(plain);
        let taken = if from.starts_with("//") {
            from.len()
        } else if from.starts_with("/*") {
            clean.push(' ');
            from.find("*/").map_or(from.len(), |end| end + 2)
        } else {
            let length = if from.starts_with('"') { crate::lex::string::length(from) } else { 1 };
            clean.push_str(from.get(..length).unwrap_or_default());
            length
        };
        rest = from.get(taken..).unwrap_or_default();
    }
    clean.push_str(rest);
    clean.trim().to_owned()
}
