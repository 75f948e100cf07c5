//! Wrong scripts: right ones whose tokens are left out, doubled, swapped or taken from elsewhere. Whatever comes out is compiled or refused
//! without a panic, and every finding has a message and a place in the text.
//!
//! `BPFLEET_SEED` chooses other changes, `BPFLEET_PROGRAMS` how many there are of each script; a failure names the seed and the text.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "the scripts to change are files")]

#[path = "cases/target.rs"]
mod target;

use std::path::Path;

use lang::Options;
use lang::diagnostic::{Diagnostic, Severity};
use lang::lex::Lexer;
use lang::target::Target;
use lang::token::Kind;

/// What a debug build does in seconds.
const CHANGES: u64 = 60;
/// How many of a script's tokens are changed at most.
const AT_ONCE: u64 = 3;
/// One mistake may be the cause of several findings, but of no more of them than there are tokens, and some for the script as a whole.
const OF_THE_WHOLE: usize = 8;

/// Pseudo-random numbers (`SplitMix64`), the same for a seed on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}

/// The scripts of the cases, of `examples/` and of the descriptions of functions, builtins and probes.
fn scripts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scripts = vec![];
    for folder in ["tests/cases/findings", "tests/cases/outline", "tests/cases/format", "tests/cases/older"] {
        for path in files(&root.join(folder)) {
            let text = format!("\n{}", std::fs::read_to_string(path).expect("cases can be read"));
            let cases = text.split("\n== ").filter_map(|case| case.split_once("\n--")?.0.split_once('\n'));
            scripts.extend(cases.map(|(_, script)| script.to_owned()));
        }
    }
    let examples = files(&root.join("../examples"));
    let examples = examples.iter().filter(|path| path.extension().is_some_and(|extension| extension == "bt"));
    scripts.extend(examples.map(|path| std::fs::read_to_string(path).expect("an example can be read")));
    scripts.extend(lang::function::ALL.iter().map(|function| function.example.to_owned()));
    scripts.extend(lang::builtin::ALL.iter().map(|builtin| builtin.example.to_owned()));
    scripts.extend(lang::provider::ALL.iter().map(|provider| provider.example.to_owned()));
    scripts
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// A script's tokens, each with what stands before it.
fn tokens(text: &str) -> Vec<String> {
    let mut lexer = Lexer::new(text);
    let mut from = 0;
    let mut tokens = vec![];
    loop {
        let token = lexer.token();
        if token.kind == Kind::End {
            return tokens;
        }
        tokens.push(text[from..token.span.end as usize].to_owned());
        from = token.span.end as usize;
    }
}

fn change(tokens: &mut Vec<String>, others: &[String], random: &mut Random) {
    let (at, other) = (random.below(tokens.len()), random.below(tokens.len()));
    match random.below(5) {
        0 => drop(tokens.remove(at)),
        1 => tokens.insert(at, tokens[other].clone()),
        2 => tokens.swap(at, other),
        3 => tokens[at] = others[random.below(others.len())].clone(),
        _ => tokens.insert(at, others[random.below(others.len())].clone()),
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

#[test]
fn changed_scripts_are_compiled_or_refused_with_a_place_and_a_message() {
    let (first, changes) = (number("BPFLEET_SEED").unwrap_or(1), number("BPFLEET_PROGRAMS").unwrap_or(CHANGES));
    let scripts: Vec<Vec<String>> = scripts().iter().map(|script| tokens(script)).collect();
    let all = scripts.concat();
    let target = target::target();
    let (mut right, mut wrong) = (0, 0);
    for (index, script) in scripts.iter().enumerate() {
        for seed in first..first + changes {
            let mut random = Random(seed << 32 | index as u64);
            let mut changed = script.clone();
            for _ in 0..1 + random.below(AT_ONCE as usize) {
                if !changed.is_empty() {
                    change(&mut changed, &all, &mut random);
                }
            }
            match is_right(&changed.concat(), changed.len(), &target) {
                true => right += 1,
                false => wrong += 1,
            }
        }
    }
    // Changes that leave every script right, or break every one, would test little.
    assert!(right > 0 && wrong > right, "{right} right, {wrong} wrong");
}

/// Whether a script compiles, after what it is told about has been looked at.
fn is_right(text: &str, tokens: usize, target: &Target) -> bool {
    let script = match lang::parse(text) {
        Ok(script) => script,
        Err(found) => {
            look_at(text, tokens, &found, true);
            return false;
        }
    };
    let options = Options { args: vec!["7".to_owned()], unsafe_allowed: true, ..Options::default() };
    let anywhere = lang::check(text, &script, &Target::generic(), &options);
    look_at(text, tokens, &anywhere, anywhere.iter().any(|finding| finding.severity == Severity::Error));
    match lang::compile(text, &script, target, &options) {
        Ok(compiled) => {
            look_at(text, tokens, &compiled.warnings, false);
            for program in &compiled.programs {
                bpf::check::check(&program.insns).unwrap_or_else(|error| panic!("{error}\n{text}"));
            }
            true
        }
        Err(found) => {
            look_at(text, tokens, &found, true);
            false
        }
    }
}

fn look_at(text: &str, tokens: usize, found: &[Diagnostic], refused: bool) {
    let has_errors = found.iter().any(|finding| finding.severity == Severity::Error);
    assert_eq!(has_errors, refused, "{found:#?}\n{text}");
    assert!(found.len() <= tokens + OF_THE_WHOLE, "{} findings for {tokens} tokens\n{text}", found.len());
    for finding in found {
        assert!(!finding.message.trim().is_empty(), "{finding:#?}\n{text}");
        assert_ne!(finding.code, "E0803", "{finding:#?}\n{text}");
        let places = std::iter::once(finding.span).chain(finding.related.iter().map(|(span, _)| *span));
        for place in places {
            assert!(text.get(place.range()).is_some(), "no such place: {finding:#?}\n{text}");
        }
    }
    lang::render::terminal("script", text, found);
}
