//! Pure crates keep panics and I/O out by clippy's lints. Clippy resolves types, so it judges the code; this rule only
//! sees to it that each pure crate switches the lints on and lists the same forbidden calls.

use std::path::{Path, PathBuf};

use super::Violation;

/// Directories of the crates without I/O.
const PURE: [&str; 4] = ["bpf", "lang", "report", "api"];

/// Lints a pure crate denies outside its tests. `indexing_slicing` is among them because input decides the index.
const LINTS: [&str; 6] = ["unwrap_used", "expect_used", "panic", "todo", "unimplemented", "indexing_slicing"];

/// The crate whose `clippy.toml` the other pure crates repeat.
const MODEL: &str = "bpf";

/// Checks the pure crates of the checkout at `root`.
pub fn check(root: &Path) -> Vec<Violation> {
    let read = |path: PathBuf| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let model = read(Path::new(MODEL).join("clippy.toml"));
    let mut violations = Vec::new();
    for directory in PURE {
        let library = Path::new(directory).join("src/lib.rs");
        violations.extend(check_library(&library, &read(library.clone())));
        let settings = Path::new(directory).join("clippy.toml");
        violations.extend(check_settings(&settings, &read(settings.clone()), &model));
    }
    violations
}

fn check_library(path: &Path, text: &str) -> Vec<Violation> {
    let missing: Vec<String> = LINTS
        .iter()
        .filter(|lint| !text.contains(&format!("clippy::{lint}")))
        .map(|lint| format!("clippy::{lint}"))
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![Violation::new(path, 1, format!("a pure crate denies these outside tests: {}", missing.join(", ")))]
}

fn check_settings(path: &Path, text: &str, model: &str) -> Option<Violation> {
    if text.contains("disallowed-methods") && text == model {
        return None;
    }
    Some(Violation::new(
        path,
        1,
        format!("a pure crate forbids the calls that {MODEL}/clippy.toml lists, in the same words"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pure_crate_that_forgets_a_lint_is_told_which() {
        let text = "#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo)]\n\
                    #![deny(clippy::indexing_slicing)]\n";
        let violations = check_library(Path::new("lang/src/lib.rs"), text);
        assert_eq!(violations.len(), 1);
        assert!(violations[0].message.ends_with("outside tests: clippy::unimplemented"), "{}", violations[0]);
    }

    #[test]
    fn a_pure_crate_with_its_own_list_of_forbidden_calls_is_refused() {
        let model = "disallowed-methods = [\"std::fs::read\"]\n";
        let path = Path::new("lang/clippy.toml");
        assert!(check_settings(path, model, model).is_none());
        assert!(check_settings(path, "disallowed-methods = []\n", model).is_some());
        assert!(check_settings(path, "", "").is_some());
    }
}
