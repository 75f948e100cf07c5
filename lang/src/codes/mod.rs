//! Every code a diagnostic can carry, with its explanation. A code is never reused for something else.
//!
//! One file per hundred: E01xx the form of the script, E02xx names, E03xx types, E04xx probes, E05xx functions, E06xx maps, E07xx and
//! above settings, limits and what is not there yet. W0xxx are warnings, by the same hundreds.

mod functions;
mod limits;
mod maps;
mod names;
mod probes;
mod syntax;
mod types;

/// A code and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `E0203`, `W0101`.
    pub code: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What is wrong and what to do about it, in a paragraph.
    pub explanation: &'static str,
}

/// The explanation of a code.
pub fn explain(code: &str) -> Option<&'static Code> {
    all().find(|entry| entry.code == code)
}

/// All codes, by hundreds.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [syntax::SYNTAX, names::NAMES, types::TYPES, probes::PROBES, functions::FUNCTIONS, maps::MAPS, limits::LIMITS]
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_appears_once() {
        let mut codes: Vec<&str> = all().map(|entry| entry.code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn every_code_is_explained() {
        for entry in all() {
            assert!(entry.explanation.ends_with('.') && !entry.title.is_empty(), "{}", entry.code);
            assert_eq!(explain(entry.code), Some(entry));
        }
        assert_eq!(explain("E9999"), None);
    }
}
