//! A kernel that has just what a script names, and the types of this machine's.

use std::collections::BTreeMap;
use std::sync::Arc;

use bpf::btf::Btf;
use bpf::program::ProgramType;
use lang::needs::{Needs, UserPattern, UserWhat};
use lang::target::{
    Features, LoadedPart, Marker, Target, TracepointField, TracepointFormat, UserFile, UserFunction, UserSymbol,
};

/// The kernel's own description of its types.
const TYPES: &str = "/sys/kernel/btf/vmlinux";

/// The types of this machine's kernel, where it tells them.
pub fn types() -> Option<Arc<Btf>> {
    std::fs::read(TYPES).ok().map(|bytes| Arc::new(Btf::parse(bytes).expect("the kernel's types can be read")))
}

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

/// The kernel. What a tracepoint's record holds is made up, for all alike.
pub fn target(needs: &Needs, types: Option<Arc<Btf>>) -> Target {
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
        similar: Default::default(),
        kernel_symbols: symbols.collect(),
        callable: needs.callable.iter().map(|name| (name.clone(), vec![ProgramType::Tracing])).collect(),
        cgroups: needs.cgroups.iter().map(|path| (path.clone(), 1)).collect(),
        pid_namespace: None,
        user_files: user_files(&needs.user),
        ..Target::generic()
    }
}

/// Programs that have just what a script names in them.
fn user_files(patterns: &[UserPattern]) -> BTreeMap<String, Vec<UserFile>> {
    let mut files: BTreeMap<String, Vec<UserFile>> = BTreeMap::new();
    for pattern in patterns {
        let (name, path) = (pattern.file.clone(), pattern.file.clone());
        let file = || vec![UserFile { name, path, moves: true, ..UserFile::default() }];
        for file in files.entry(pattern.file.clone()).or_insert_with(file) {
            add(file, &pattern.what);
        }
    }
    files
}

fn add(file: &mut UserFile, what: &UserWhat) {
    match what {
        UserWhat::Functions { name, .. } => {
            file.functions.push(UserFunction { name: name.clone(), offset: 4096, size: 64, ..UserFunction::default() });
        }
        UserWhat::Address(address) => {
            let name = format!("{address:#x}");
            file.functions.push(UserFunction { name, offset: *address, ..UserFunction::default() });
        }
        UserWhat::Line(line) => {
            file.functions.push(UserFunction { name: line.to_string(), offset: 4096, ..UserFunction::default() });
        }
        UserWhat::Markers { provider, name } => {
            let arguments = "8@%rdi 8@%rsi 8@%rdx".to_owned();
            let provider = provider.replace('*', "app");
            file.markers.push(Marker { provider, name: name.clone(), offset: 4096, semaphore: 0, arguments });
        }
        UserWhat::Symbol(name) => {
            file.symbols.push(UserSymbol { name: name.clone(), address: 0x8000, size: 8 });
            file.parts = vec![LoadedPart { offset: 0, size: 0x10000, address: 0 }];
        }
    }
}
