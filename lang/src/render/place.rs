//! Bytes of a script as lines and columns.

use std::fmt;

use serde::Serialize;

use crate::span::Span;

/// A script's lines.
pub(super) struct Lines<'a> {
    text: &'a str,
    /// Where each line starts.
    starts: Vec<usize>,
}

/// Where a span lies; everything counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    /// One past the last character.
    pub end_column: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let after_newlines = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self { text, starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    pub(super) fn place(&self, span: Span) -> Place {
        let (line, column) = self.position(span.start as usize);
        let (end_line, end_column) = self.position((span.end as usize).max(span.start as usize));
        Place { line, column, end_line, end_column }
    }

    /// A line's text without its end.
    pub(super) fn line(&self, number: usize) -> &'a str {
        let start = number.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or_default();
        rest.split(['\n', '\r']).next().unwrap_or_default()
    }

    fn position(&self, byte: usize) -> (usize, usize) {
        let byte = byte.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or(0);
        let column = self.text.get(start..byte).map_or(byte - start, |before| before.chars().count());
        (line, column + 1)
    }
}

impl fmt::Display for Place {
    /// `line:column-column`, or `line-line` over several.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == self.end_line {
            write!(f, "{}:{}-{}", self.line, self.column, self.end_column)
        } else {
            write!(f, "{}-{}", self.line, self.end_line)
        }
    }
}
