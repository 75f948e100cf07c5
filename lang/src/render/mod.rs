//! Diagnostics as text: for a terminal and the status of a TraceJob, on one line each, and as JSON.
//!
//! All three take the script's name (its file, `stdin`, the TraceJob) and its text, and give lines that end in a newline. Lines
//! and columns count from 1; a column is a character, and the end column is one past the last.

mod json;
mod place;

use std::fmt::Write;

use crate::diagnostic::{Diagnostic, Severity};
use crate::span::Span;

pub use json::json;
use place::{Lines, Place};

/// The form people read: place, message and code, the line of the script with the place underlined, further places, help.
pub fn terminal(name: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    for_people(name, text, diagnostics, "help", |code| format!(" [{code}]"))
}

/// The same without codes, as programs expect it that read what bpftrace writes.
pub fn without_codes(name: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    for_people(name, text, diagnostics, "HINT", |_| String::new())
}

fn for_people(name: &str, text: &str, diagnostics: &[Diagnostic], help_word: &str, code: fn(&str) -> String) -> String {
    let lines = Lines::new(text);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let severity = match diagnostic.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
        };
        let place = lines.place(diagnostic.span);
        line(&mut out, format_args!("{name}:{place}: {severity}: {}{}", diagnostic.message, code(diagnostic.code)));
        underline(&mut out, &lines, diagnostic.span, diagnostic.label.as_deref());
        for (span, note) in &diagnostic.related {
            line(&mut out, format_args!("{name}:{}: note: {note}", lines.place(*span)));
            underline(&mut out, &lines, *span, None);
        }
        if let Some(help) = &diagnostic.help {
            line(&mut out, format_args!("{help_word}: {help}"));
        }
    }
    out
}

/// The form logs and events want: `name:line:column: error[E0203]: message (help)`.
pub fn one_line(name: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    let lines = Lines::new(text);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Place { line: at, column, .. } = lines.place(diagnostic.span);
        let help = diagnostic.help.as_ref().map(|help| format!(" (help: {help})")).unwrap_or_default();
        let Diagnostic { code, message, .. } = diagnostic;
        line(&mut out, format_args!("{name}:{at}:{column}: {severity}[{code}]: {message}{help}"));
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}

/// The script's line with the part of the span on it underlined; of a longer span, its first line.
fn underline(out: &mut String, lines: &Lines<'_>, span: Span, label: Option<&str>) {
    let place = lines.place(span);
    let text = lines.line(place.line);
    let end = if place.end_line == place.line { place.end_column } else { usize::MAX };
    let mut shown = String::new();
    let mut marks = String::new();
    for (index, character) in text.chars().enumerate() {
        let (piece, width) = match character {
            '\t' => ("    ".to_owned(), 4),
            c if c.is_control() => ("\u{fffd}".to_owned(), 1),
            c => (c.to_string(), 1),
        };
        shown.push_str(&piece);
        let column = index + 1;
        if column < end {
            let mark = if column < place.column { ' ' } else { '~' };
            marks.extend(std::iter::repeat_n(mark, width));
        }
    }
    if !marks.contains('~') {
        // A place past the end of the line, or an empty one.
        marks.extend(std::iter::repeat_n(' ', place.column.saturating_sub(1 + marks.chars().count())));
        marks.push('~');
    }
    line(out, format_args!("{}", shown.trim_end()));
    match label {
        Some(label) => line(out, format_args!("{marks} {label}")),
        None => line(out, format_args!("{marks}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "BEGIN {\n\t$x = foo(1);\n}\n";

    fn finding() -> Diagnostic {
        Diagnostic::error("E0301", Span::new(14, 17), "unknown function 'foo'").help("did you mean 'for'?")
    }

    #[test]
    fn the_place_is_underlined_past_tabs() {
        assert_eq!(
            terminal("stdin", TEXT, &[finding()]),
            "stdin:2:7-10: ERROR: unknown function 'foo' [E0301]\n    $x = foo(1);\n         ~~~\nhelp: did you mean 'for'?\n"
        );
    }

    #[test]
    fn labels_and_further_places_are_shown() {
        let warning =
            Diagnostic::warning("W0101", Span::new(9, 11), "odd").label("here").related(Span::new(0, 5), "there");
        assert_eq!(
            terminal("a.bt", TEXT, &[warning]),
            "a.bt:2:2-4: WARNING: odd [W0101]\n    $x = foo(1);\n    ~~ here\na.bt:1:1-6: note: there\nBEGIN {\n~~~~~\n"
        );
    }

    #[test]
    fn a_place_over_several_lines_shows_the_first() {
        let finding = Diagnostic::error("E0108", Span::new(6, 23), "not closed");
        assert_eq!(terminal("a.bt", TEXT, &[finding]), "a.bt:1-3: ERROR: not closed [E0108]\nBEGIN {\n      ~\n");
    }

    #[test]
    fn a_place_at_the_end_of_the_text_is_marked() {
        let finding = Diagnostic::error("E0106", Span::new(7, 7), "more expected");
        assert_eq!(
            terminal("a.bt", "BEGIN {", &[finding]),
            "a.bt:1:8-8: ERROR: more expected [E0106]\nBEGIN {\n       ~\n"
        );
        let beyond = Diagnostic::error("E0106", Span::new(90, 99), "beyond");
        assert_eq!(terminal("a.bt", "x", &[beyond]), "a.bt:1:2-2: ERROR: beyond [E0106]\nx\n ~\n");
    }

    #[test]
    fn columns_count_characters() {
        let text = "BEGIN { print(\"é\", x) }";
        let start = text.find("x)").unwrap_or_default();
        let finding = Diagnostic::error("E0106", Span::new(start, start + 1), "what");
        assert_eq!(one_line("s", text, &[finding]), "s:1:20: error[E0106]: what\n");
    }

    #[test]
    fn one_line_holds_the_help() {
        assert_eq!(
            one_line("stdin", TEXT, &[finding()]),
            "stdin:2:7: error[E0301]: unknown function 'foo' (help: did you mean 'for'?)\n"
        );
    }

    #[test]
    fn json_holds_everything() {
        let list: serde_json::Value = serde_json::from_str(&json("stdin", TEXT, &[finding()])).expect("it is JSON");
        let first = &list[0];
        assert_eq!(first["severity"], "error");
        assert_eq!(first["code"], "E0301");
        assert_eq!(first["place"]["line"], 2);
        assert_eq!(first["place"]["column"], 7);
        assert_eq!(first["place"]["end_column"], 10);
        assert_eq!(first["place"]["start"], 14);
        assert_eq!(first["help"], "did you mean 'for'?");
        assert_eq!(json("stdin", TEXT, &[]), "[]\n");
    }
}
