//! Nothing in a file may depend on the machine it was written on: no path of this checkout, no home directory, and no
//! dependency from anywhere but crates.io.

use std::path::Path;

use super::Violation;

/// The only source `Cargo.lock` may name.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks one text file. `root` is where the checkout is on this machine.
pub fn check(path: &Path, text: &str, root: &Path) -> Vec<Violation> {
    let lock = path == Path::new("Cargo.lock");
    let root = root.to_str().filter(|root| root.matches('/').count() >= 2);
    let mut violations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if root.is_some_and(|root| mentions(line, root)) {
            violations.push(Violation::new(path, index + 1, "names the directory of this checkout"));
        }
        if lock && line.strip_prefix("source = ").is_some_and(|source| source.trim_matches('"') != REGISTRY) {
            violations.push(Violation::new(path, index + 1, "a dependency that does not come from crates.io"));
        }
    }
    violations
}

/// Whether `directory` stands in `line` as a path of its own, not as the beginning or end of a longer name.
fn mentions(line: &str, directory: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    line.match_indices(directory).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + directory.len()..].chars().next();
        !before.is_some_and(in_name) && after.is_none_or(|c| c == '/' || !in_name(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_line(line: &str) -> usize {
        check(Path::new("docs/a.md"), line, Path::new("/srv/checkout")).len()
    }

    #[test]
    fn a_path_into_the_checkout_is_found() {
        assert_eq!(check_line("see /srv/checkout/lang"), 1);
        assert_eq!(check_line("cd /srv/checkout"), 1);
    }

    #[test]
    fn a_longer_name_is_another_directory() {
        assert_eq!(check_line("see /srv/checkout-old/lang and /mnt/srv/checkout/lang"), 0);
    }

    #[test]
    fn a_lock_file_names_one_registry() {
        let root = Path::new("/srv/checkout");
        let good = format!("source = \"{REGISTRY}\"\n");
        assert!(check(Path::new("Cargo.lock"), &good, root).is_empty());
        let bad = "source = \"git+https://example.com/x#1234\"\n";
        assert_eq!(check(Path::new("Cargo.lock"), bad, root).len(), 1);
    }
}
