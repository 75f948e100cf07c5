//! The example of every function, builtin and kind of probe compiles, on a kernel that has what it names.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the kernel's types are read where there are any"
)]

mod node;

use lang::diagnostic::Severity;
use lang::options::{Options, Trials};
use lang::target::Target;

fn examples() -> Vec<(&'static str, &'static str)> {
    let functions = lang::function::ALL.iter().map(|f| (f.name, f.example));
    let builtins = lang::builtin::ALL.iter().map(|b| (b.name, b.example));
    let providers = lang::provider::ALL.iter().map(|p| (p.name, p.example));
    functions.chain(builtins).chain(providers).collect()
}

/// What the user says for an example of `name` to run.
fn options(name: &str) -> Options {
    let trials = match name {
        "test" => Some(Trials::Tests),
        "bench" => Some(Trials::Benches),
        _ => None,
    };
    Options { unsafe_allowed: true, files_allowed: true, trials, ..Options::default() }
}

#[test]
fn every_example_compiles() {
    let types = node::types();
    let mut wrong = String::new();
    for (name, example) in examples() {
        let script = match lang::parse(example) {
            Ok(script) => script,
            Err(found) => {
                wrong += &lang::render::terminal(name, example, &found);
                continue;
            }
        };
        let needs = lang::needs(&script);
        if needs.btf && types.is_none() {
            println!("SKIP: {name}: this kernel does not tell its types");
            continue;
        }
        match lang::compile(example, &script, &node::target(&needs, types.clone()), &options(name)) {
            Ok(compiled) => assert!(!compiled.programs.is_empty(), "{name}"),
            Err(found) => wrong += &lang::render::terminal(name, example, &found),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_example_is_right_for_some_node() {
    for (name, example) in examples() {
        let script = lang::parse(example).expect("it parses");
        let found = lang::check(example, &script, &Target::generic(), &options(name));
        // A function that is a matter of taste warns even where it is shown.
        assert!(
            found.iter().all(|finding| finding.severity == Severity::Warning),
            "{}",
            lang::render::terminal(name, example, &found)
        );
        assert!(example.to_lowercase().contains(&name.to_lowercase()), "{name}: {example}");
    }
}

#[test]
fn every_name_is_listed_once_and_in_order() {
    for names in [
        lang::function::ALL.iter().map(|f| f.name).collect::<Vec<_>>(),
        lang::builtin::ALL.iter().map(|b| b.name).collect(),
        lang::provider::ALL.iter().map(|p| p.name).collect(),
    ] {
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }
}
