//! The example of every function, builtin and kind of probe compiles, on a kernel that has what it names.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the kernel's types are read where there are any"
)]

use std::sync::Arc;

use bpf::btf::Btf;
use lang::diagnostic::Severity;
use lang::needs::{Needs, UserPattern, UserWhat};
use lang::options::Options;
use lang::target::{Features, Marker, Target, TracepointField, TracepointFormat, UserFile, UserFunction};

const TYPES: &str = "/sys/kernel/btf/vmlinux";

/// Fields of the tracepoints that examples read.
const FIELDS: [(&str, &str, u32, bool); 10] = [
    ("comm", "char[16]", 16, false),
    ("bytes", "unsigned int", 4, false),
    ("ret", "long", 8, true),
    ("filename", "const char *", 8, false),
    ("prev_comm", "char[16]", 16, false),
    ("next_pid", "pid_t", 4, true),
    ("skbaddr", "void *", 8, false),
    ("argv", "const char *const *", 8, false),
    ("buf", "const char *", 8, false),
    ("count", "size_t", 8, false),
];

/// A kernel that has just what a script needs.
fn target(needs: &Needs, types: Option<Arc<Btf>>) -> Target {
    let mut offset = 8u32;
    let mut field = |(name, ty, size, signed): &(&str, &str, u32, bool)| {
        offset = offset.next_multiple_of((*size).min(8));
        let field = TracepointField { name: (*name).into(), ty: (*ty).into(), offset, size: *size, signed: *signed };
        offset += size;
        field
    };
    let format = TracepointFormat { id: 1, fields: FIELDS.iter().map(&mut field).collect() };
    let tracepoints = needs.tracepoints.iter().map(|pattern| {
        let (category, event) = (pattern.category.replace('*', "sched"), pattern.event.replace('*', "_switch"));
        (format!("{category}:{event}"), Some(format.clone()))
    });
    let functions = needs.functions.iter().map(|pattern| (pattern.name.replace('*', "read"), None));
    let symbols = needs.kernel_symbols.iter().map(|name| (name.clone(), 0xffff_ffff_8100_0000));
    Target {
        features: Features::all(),
        complete: true,
        btf: types,
        tracepoints: tracepoints.collect(),
        functions: functions.collect(),
        kernel_symbols: symbols.collect(),
        pid_namespace: None,
        user_files: needs.user.iter().map(|pattern| (pattern.file.clone(), vec![user_file(pattern)])).collect(),
        ..Target::generic()
    }
}

/// A program that has just what a script names in it.
fn user_file(pattern: &UserPattern) -> UserFile {
    let mut file = UserFile { name: pattern.file.clone(), path: pattern.file.clone(), ..UserFile::default() };
    match &pattern.what {
        UserWhat::Functions { name, .. } => {
            file.functions.push(UserFunction { name: name.clone(), demangled: None, offset: 4096, size: 64 });
        }
        UserWhat::Address(address) => {
            let name = format!("{address:#x}");
            file.functions.push(UserFunction { name, offset: *address, ..UserFunction::default() });
        }
        UserWhat::Markers { provider, name } => {
            let arguments = "8@%rdi 8@%rsi 8@%rdx".to_owned();
            let provider = provider.replace('*', "app");
            file.markers.push(Marker { provider, name: name.clone(), offset: 4096, semaphore: 0, arguments });
        }
    }
    file
}

fn examples() -> Vec<(&'static str, &'static str)> {
    let functions = lang::function::ALL.iter().map(|f| (f.name, f.example));
    let builtins = lang::builtin::ALL.iter().map(|b| (b.name, b.example));
    let providers = lang::provider::ALL.iter().map(|p| (p.name, p.example));
    functions.chain(builtins).chain(providers).collect()
}

#[test]
fn every_example_compiles() {
    let types =
        std::fs::read(TYPES).ok().map(|bytes| Arc::new(Btf::parse(bytes).expect("the kernel's types can be read")));
    let options = Options { unsafe_allowed: true, ..Options::default() };
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
            println!("SKIP: {name}: there is no {TYPES}");
            continue;
        }
        match lang::compile(example, &script, &target(&needs, types.clone()), &options) {
            Ok(compiled) => assert!(!compiled.programs.is_empty(), "{name}"),
            Err(found) => wrong += &lang::render::terminal(name, example, &found),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_example_is_right_for_some_node() {
    let options = Options { unsafe_allowed: true, ..Options::default() };
    for (name, example) in examples() {
        let script = lang::parse(example).expect("it parses");
        let found = lang::check(example, &script, &Target::generic(), &options);
        // A function that is a matter of taste warns even where it is shown.
        assert!(
            found.iter().all(|finding| finding.severity == Severity::Warning),
            "{}",
            lang::render::terminal(name, example, &found)
        );
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
