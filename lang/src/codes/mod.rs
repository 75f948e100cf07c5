//! Every code a diagnostic can carry, with its explanation. A code is never reused for something else.
//!
//! One file per hundred. E01xx: the form of the script, E02xx probes and attach points,
//! E03xx names, E04xx types, E05xx functions, E06xx config and parameters, E07xx what the kernel or the machine limits,
//! E09xx what is not supported yet. W0xxx are warnings, by the same hundreds.

mod syntax;

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

/// All codes, in order.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [syntax::SYNTAX].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_unique() {
        let codes: Vec<&str> = all().map(|entry| entry.code).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted);
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
