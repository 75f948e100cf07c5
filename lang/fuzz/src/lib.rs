//! What must hold of any text at all, checked by every fuzz target: it is read, compiled and reported about without a panic,
//! every finding has a message and a place in the text, and code that comes out is code.
//!
//! Run as `docs/proofs.md` says.

#[path = "../../tests/cases/target.rs"]
mod target;

use std::sync::{Arc, OnceLock};

use bpf::btf::Btf;
use lang::Options;
use lang::diagnostic::{Diagnostic, Severity};
use lang::target::{Features, Target};

/// The kernel's own description of its types.
const TYPES: &str = "/sys/kernel/btf/vmlinux";

/// Reads a text, and prints what could be read.
pub fn parse(text: &str) {
    match lang::parse(text) {
        Ok(script) => {
            // What a tree's directives define has been replaced in it already, and would be replaced again.
            if script.preamble.iter().all(|item| !matches!(item, lang::ast::Preamble::Directive(_))) {
                let printed = lang::print::print(&script);
                lang::parse(&printed).unwrap_or_else(|found| panic!("{printed}\n{found:#?}"));
            }
            let formatted = lang::print::format(text).unwrap_or_else(|found| panic!("{found:#?}"));
            assert_eq!(lang::print::format(&formatted).as_ref(), Ok(&formatted), "formatting is not idempotent");
        }
        Err(found) => {
            check_findings(text, &found);
            assert!(has_errors(&found), "a text is refused without an error");
        }
    }
}

/// Compiles a text for a kernel that can do everything, for an old one, and checks it for some kernel.
pub fn compile(text: &str) {
    let Ok(script) = lang::parse(text) else { return };
    let _ = lang::needs(&script);
    let options = Options {
        args: vec!["7".to_owned(), "text".to_owned()],
        named: vec![("name".to_owned(), Some("value".to_owned())), ("flag".to_owned(), None)],
        unsafe_allowed: true,
        ..Options::default()
    };
    check_findings(text, &lang::check(text, &script, &Target::generic(), &options));
    for target in targets() {
        match lang::compile(text, &script, target, &options) {
            Ok(compiled) => {
                check_findings(text, &compiled.warnings);
                assert!(!has_errors(&compiled.warnings), "a script compiles and has errors");
                for program in &compiled.programs {
                    bpf::check::check(&program.insns).unwrap_or_else(|error| panic!("{}: {error}", program.name));
                    assert_eq!(
                        program.insns.len(),
                        program.spans.len(),
                        "every instruction has its place in the script"
                    );
                }
            }
            Err(found) => {
                check_findings(text, &found);
                assert!(has_errors(&found), "a script is refused without an error");
                let broken = found.iter().find(|finding| finding.code == "E0803");
                assert!(broken.is_none(), "a fault of the compiler: {broken:?}");
            }
        }
    }
}

fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// Every finding says something about a place in the text, and can be shown.
fn check_findings(text: &str, findings: &[Diagnostic]) {
    for finding in findings {
        assert!(!finding.message.trim().is_empty(), "{finding:?}");
        let places = std::iter::once(finding.span).chain(finding.related.iter().map(|(span, _)| *span));
        for place in places {
            assert!(text.get(place.range()).is_some(), "{finding:?} is not about a place in the text");
        }
    }
    let shown = lang::render::terminal("script", text, findings);
    assert_eq!(shown.is_empty(), findings.is_empty());
    lang::render::one_line("script", text, findings);
    lang::render::json("script", text, findings);
}

/// The kernels scripts are compiled for; with the types of this machine's, where it tells them.
fn targets() -> &'static [Target; 2] {
    static TARGETS: OnceLock<[Target; 2]> = OnceLock::new();
    TARGETS.get_or_init(|| {
        let types = std::fs::read(TYPES).ok().and_then(|bytes| Btf::parse(bytes).ok()).map(Arc::new);
        let newest = Target { btf: types, ..target::target() };
        let oldest = Target { features: Features::default(), btf: None, ..target::target() };
        [newest, oldest]
    })
}
