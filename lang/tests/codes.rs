//! Every code that the compiler gives is explained, and every explained code is given somewhere.
#![allow(clippy::disallowed_methods, reason = "the sources are read")]

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_codes_in_the_sources_are_the_explained_ones() {
    let mut used = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
    let explained: BTreeSet<String> = lang::codes::all().map(|entry| entry.code.to_owned()).collect();
    assert_eq!(used, explained);
}

/// The codes in string literals of all files but the explanations and the tests of the renderer.
fn collect(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("codes") && !path.ends_with("render") {
                collect(&path, codes);
            }
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source file can be read");
        codes.extend(text.split('"').skip(1).filter(|piece| is_code(piece)).map(str::to_owned));
    }
}

fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix(['E', 'W']).unwrap_or_default();
    digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit())
}
