//! Rules on one Rust file: its name, its length, its `//!` doc, and where `unsafe` may stand.

use std::path::Path;
use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};

use super::Violation;

/// Lines of code, its unit tests not counted, above which a file must be split.
const MOST_LINES: usize = 700;
/// Lines above which a file is named in a warning: it should be splitting soon.
const MANY_LINES: usize = 400;
/// Names that say nothing about what a file owns. (`helper` alone is a word of the kernel: a function BPF code calls.)
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "common", "manager", "managers", "misc"];
/// The one place for unsafe code.
const UNSAFE_HOME: &str = "agent/src/sys";

/// A file or directory called after nothing.
pub fn check_name(path: &Path) -> Option<Violation> {
    let empty = path.components().find_map(|component| {
        let name = component.as_os_str().to_str()?;
        let stem = name.split('.').next()?;
        EMPTY_NAMES.contains(&stem).then_some(stem)
    })?;
    Some(Violation::new(path, 1, format!("`{empty}` does not say what is in it; name it after what it owns")))
}

/// Every rule that a Rust file's text can break.
pub fn check_text(path: &Path, text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    if !text.trim_start().starts_with("//!") {
        violations.push(Violation::new(
            path,
            1,
            "a module opens with a `//!` doc: what it owns, what it leaves to others",
        ));
    }
    let lines = code_lines(path, text);
    if lines > MOST_LINES {
        violations.push(Violation::new(path, 1, format!("{lines} lines without its tests; at most {MOST_LINES}")));
    }
    if !path.starts_with(UNSAFE_HOME) {
        violations.extend(check_unsafe(path, text));
    }
    violations
}

/// A file that is allowed but on its way to being too large.
pub fn check_growth(path: &Path, text: &str) -> Option<Violation> {
    let lines = code_lines(path, text);
    (lines > MANY_LINES && lines <= MOST_LINES).then(|| {
        Violation::new(path, 1, format!("{lines} lines without its tests; few files should pass {MANY_LINES}"))
    })
}

/// Lines of the file that are not tests: none of a test file, and of others what precedes the unit tests at its end.
fn code_lines(path: &Path, text: &str) -> usize {
    let is_test = path.components().any(|component| component.as_os_str() == "tests")
        || path.file_stem().is_some_and(|stem| stem == "tests");
    if is_test {
        return 0;
    }
    let lines: Vec<&str> = text.lines().collect();
    lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ")).unwrap_or(lines.len())
}

fn check_unsafe(path: &Path, text: &str) -> Vec<Violation> {
    let mut lines = Vec::new();
    match TokenStream::from_str(text) {
        Ok(tokens) => find_unsafe(tokens, &mut lines),
        Err(error) => return vec![Violation::new(path, 1, format!("not Rust: {error}"))],
    }
    lines
        .into_iter()
        .map(|line| Violation::new(path, line, format!("unsafe code stands only in {UNSAFE_HOME}")))
        .collect()
}

/// Lines on which the keyword `unsafe`, or leave to use it, stands outside comments and strings.
fn find_unsafe(tokens: TokenStream, lines: &mut Vec<usize>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => find_unsafe(group.stream(), lines),
            TokenTree::Ident(ident) if ident == "unsafe" || ident == "unsafe_code" => {
                lines.push(ident.span().start().line);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str) -> Vec<String> {
        check_text(Path::new(path), text).iter().map(Violation::to_string).collect()
    }

    #[test]
    fn a_module_without_a_doc_is_named() {
        assert_eq!(check("lang/src/a.rs", "fn a() {}\n").len(), 1);
        assert!(check("lang/src/a.rs", "//! Owns a.\nfn a() {}\n").is_empty());
    }

    #[test]
    fn unsafe_is_found_in_code_and_not_in_words() {
        let text = "//! Doc.\n// unsafe\nconst A: &str = \"unsafe\";\nfn a() {\n    unsafe { b() }\n}\n";
        assert_eq!(check("lang/src/a.rs", text), ["lang/src/a.rs:5: unsafe code stands only in agent/src/sys"]);
        assert!(check("agent/src/sys/a.rs", text).is_empty());
    }

    #[test]
    fn leave_to_use_unsafe_counts_as_unsafe() {
        assert_eq!(check("cli/src/a.rs", "//! Doc.\n#![allow(unsafe_code)]\n").len(), 1);
    }

    #[test]
    fn unit_tests_do_not_count_towards_the_size() {
        let code = format!("//! Doc.\n{}", "const A: u8 = 0;\n".repeat(650));
        let tested = format!("{code}#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn a() {}\n".repeat(300));
        assert!(check("lang/src/a.rs", &tested).is_empty());
        assert!(check_growth(Path::new("lang/src/a.rs"), &tested).is_some());
        let long = format!("{code}{}", "const B: u8 = 0;\n".repeat(100));
        assert_eq!(check("lang/src/a.rs", &long), ["lang/src/a.rs:1: 751 lines without its tests; at most 700"]);
        assert!(check("lang/tests/a.rs", &long).is_empty());
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        assert!(check_name(Path::new("lang/src/utils.rs")).is_some());
        assert!(check_name(Path::new("agent/src/common/mod.rs")).is_some());
        assert!(check_name(Path::new("agent/src/sys/batch.rs")).is_none());
    }
}
