//! An example is three files of one name: `NAME.bt` (the script), `NAME.yaml` (the TraceJob that carries it) and
//! `NAME.out` (what it prints). Whether they agree is for the suites that run them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Violation;

const PARTS: [&str; 3] = ["bt", "yaml", "out"];

/// Checks that no example lacks a part; `files` are relative to the checkout.
pub fn check(files: &[PathBuf]) -> Vec<Violation> {
    let mut examples: BTreeMap<&OsStr, Vec<&str>> = BTreeMap::new();
    for path in files.iter().filter(|path| path.parent() == Some(Path::new("examples"))) {
        let part = path.extension().and_then(OsStr::to_str).filter(|part| PARTS.contains(part));
        if let (Some(name), Some(part)) = (path.file_stem(), part) {
            examples.entry(name).or_default().push(part);
        }
    }
    let mut violations = Vec::new();
    for (name, parts) in examples {
        for missing in PARTS.iter().filter(|part| !parts.contains(part)) {
            let path = Path::new("examples").join(name).with_extension(missing);
            violations.push(Violation::new(path, 1, "missing: an example is NAME.bt, NAME.yaml and NAME.out"));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_without_its_output_is_named() {
        let files = ["examples/a.bt", "examples/a.yaml", "examples/b.bt", "examples/b.yaml", "examples/b.out"];
        let violations = check(&files.map(PathBuf::from));
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].path, Path::new("examples/a.out"));
    }

    #[test]
    fn other_files_beside_the_examples_are_left_alone() {
        assert!(check(&["examples/README.md", "charts/x/a.yaml"].map(PathBuf::from)).is_empty());
    }
}
