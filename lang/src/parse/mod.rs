//! The parser: script text in, [`Script`] or diagnostics out.
//!
//! A recursive descent over the scanner's tokens, one file per part of the grammar: [`preprocess`] and [`condition`] (lines that start
//! with `#`), [`define`] (what they name), `script` (the top level), `attach` (attach points), `block` (statements),
//! `expr` and `primary` (expressions), `ty` (types). A statement or probe that cannot be read is reported once and skipped, so
//! that one run finds the faults of the whole script. What names mean is for later passes.

mod attach;
mod block;
mod condition;
mod cursor;
mod define;
mod expr;
mod preprocess;
mod primary;
mod script;
mod ty;

use crate::ast::{Preamble, Script};
use crate::diagnostic::Diagnostic;
use crate::lex::Lexer;
use crate::span::{Span, Spanned};

use cursor::Parser;

pub(crate) use attach::is_path;
pub(crate) use define::Defines;
pub(crate) use ty::is_type;

/// The most bytes of a script.
pub const MAX_BYTES: usize = 1 << 20;

/// Reads a script.
///
/// # Errors
/// Everything wrong with its form, in the order of the text.
pub fn parse(text: &str) -> Result<Script, Vec<Diagnostic>> {
    read(text, 0, &mut Defines::new(), true).map(|document| document.script)
}

/// Reads what stands in a text from byte `start` on. `defines` hold before it, and come to hold what it defines.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_from(text: &str, start: usize, defines: &mut Defines) -> Result<Script, Vec<Diagnostic>> {
    read(text, start, defines, true).map(|document| document.script)
}

/// The files that what stands in a text from byte `start` on imports, whatever else is wrong with it.
pub(crate) fn imports_from(text: &str, start: usize, defines: &Defines) -> Vec<Spanned<String>> {
    let own = text.as_bytes().get(start..).unwrap_or_default();
    if memchr::memmem::find(own, b"import").is_none() {
        return vec![];
    }
    let source = preprocess::preprocess(text, start, defines.clone());
    let mut parser = Parser::new(Lexer::starting_at(&source.text, start), &source.defines, true);
    let imports = parser.script().preamble.into_iter().filter_map(|item| match item {
        Preamble::Import(name) => Some(name),
        Preamble::Directive(_) | Preamble::Definition(_) => None,
    });
    imports.collect()
}

/// A script together with what has no place in its tree.
pub(crate) struct Document {
    /// The tree; names of `#define`s stand as written.
    pub script: Script,
    /// In the order of the text.
    pub remarks: Vec<Remark>,
}

/// A piece of text that says nothing to the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Remark {
    pub span: Span,
    /// A directive or a line that a false `#if` left out, which keeps its place in the line; else a comment.
    pub at_margin: bool,
}

/// Reads a script for printing it again: `#define`s are not expanded, comments are kept.
pub(crate) fn parse_document(text: &str) -> Result<Document, Vec<Diagnostic>> {
    read(text, 0, &mut Defines::new(), false)
}

fn read(text: &str, start: usize, defines: &mut Defines, expand: bool) -> Result<Document, Vec<Diagnostic>> {
    if text.len() > MAX_BYTES {
        let message = format!("the script has {} bytes; at most {MAX_BYTES} are read", text.len());
        return Err(vec![Diagnostic::error("E0117", Span::new(0, 0), message)]);
    }
    let source = preprocess::preprocess(text, start, std::mem::take(defines));
    let mut parser = Parser::new(Lexer::starting_at(&source.text, start), &source.defines, expand);
    parser.take_diagnostics_from(source.diagnostics);
    let mut script = parser.script();
    script.preamble.extend(source.directives);
    script.preamble.sort_by_key(preprocess::place);
    let directives = script.preamble.iter().filter_map(|item| match item {
        Preamble::Directive(text) => Some(text.span),
        _ => None,
    });
    let lines = directives.chain(source.left_out).map(|span| Remark { span, at_margin: true });
    let comments = parser.comments().iter().map(|span| Remark { span: *span, at_margin: false });
    let mut remarks: Vec<Remark> = lines.chain(comments).collect();
    remarks.sort();
    let diagnostics = parser.into_diagnostics();
    *defines = source.defines;
    if diagnostics.is_empty() { Ok(Document { script, remarks }) } else { Err(diagnostics) }
}

#[cfg(test)]
mod tests;
