//! Diagnostics as JSON, for editors and scripts.

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Severity};
use crate::span::Span;

use super::place::{Lines, Place};

#[derive(Serialize)]
struct Finding<'a> {
    file: &'a str,
    severity: &'static str,
    code: &'a str,
    message: &'a str,
    place: Range,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Related<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

/// Lines and columns, and the bytes `start..end` of the text.
#[derive(Serialize)]
struct Range {
    #[serde(flatten)]
    place: Place,
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Related<'a> {
    place: Range,
    note: &'a str,
}

/// One array of objects on one line.
pub fn json(name: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    let lines = Lines::new(text);
    let range = |span: Span| Range { place: lines.place(span), start: span.start, end: span.end };
    let findings: Vec<Finding<'_>> = diagnostics
        .iter()
        .map(|diagnostic| Finding {
            file: name,
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: diagnostic.code,
            message: &diagnostic.message,
            place: range(diagnostic.span),
            label: diagnostic.label.as_deref(),
            related: diagnostic.related.iter().map(|(span, note)| Related { place: range(*span), note }).collect(),
            help: diagnostic.help.as_deref(),
        })
        .collect();
    // Strings and numbers always serialise.
    let mut out = serde_json::to_string(&findings).unwrap_or_default();
    out.push('\n');
    out
}
