//! The node all cases are compiled for: a kernel that can do everything, with a handful of tracepoints and functions and no BTF.

use std::collections::BTreeMap;

use bpf::btf::build::{Builder, NewMember, NewType};
use bpf::btf::{Btf, TypeId};
use lang::needs::SourceLine;
use lang::target::{
    Arch, Features, Marker, ProgramFunction, Target, TracepointField, TracepointFormat, Types, UserFile, UserFunction,
    WrongLine,
};

/// Category and event, then type, name, offset, size and sign of each field.
type Tracepoint = (&'static str, &'static [(&'static str, &'static str, u32, u32, bool)]);

const TRACEPOINTS: &[Tracepoint] = &[
    ("raw_syscalls:sys_enter", &[("long", "id", 8, 8, true), ("unsigned long[6]", "args", 16, 48, false)]),
    ("raw_syscalls:sys_exit", &[("long", "id", 8, 8, true), ("long", "ret", 16, 8, true)]),
    (
        "syscalls:sys_enter_openat",
        &[
            ("int", "__syscall_nr", 8, 4, true),
            ("int", "dfd", 16, 8, false),
            ("const char *", "filename", 24, 8, false),
            ("int", "flags", 32, 8, false),
            ("umode_t", "mode", 40, 8, false),
        ],
    ),
    ("syscalls:sys_exit_read", &[("int", "__syscall_nr", 8, 4, true), ("long", "ret", 16, 8, true)]),
    (
        "sched:sched_switch",
        &[
            ("char[16]", "prev_comm", 8, 16, false),
            ("pid_t", "prev_pid", 24, 4, true),
            ("int", "prev_prio", 28, 4, true),
            ("long", "prev_state", 32, 8, true),
            ("char[16]", "next_comm", 40, 16, false),
            ("pid_t", "next_pid", 56, 4, true),
            ("int", "next_prio", 60, 4, true),
        ],
    ),
    ("sched:sched_wakeup", &[("char[16]", "comm", 8, 16, false), ("pid_t", "pid", 24, 4, true)]),
    (
        "block:block_rq_issue",
        &[
            ("dev_t", "dev", 8, 4, false),
            ("sector_t", "sector", 16, 8, false),
            ("unsigned int", "bytes", 28, 4, false),
            ("__data_loc char[]", "cmd", 58, 4, false),
        ],
    ),
];

/// System calls whose tracepoints have no fields of their own here.
const SYSCALLS: [&str; 8] = ["close", "execve", "fsync", "newfstat", "read", "sendto", "unlinkat", "write"];

const FUNCTIONS: &[&str] = &["vfs_open", "vfs_read", "vfs_write", "tcp_sendmsg", "do_nanosleep"];

/// The node.
pub fn target() -> Target {
    Target {
        arch: Arch::X86_64,
        features: Features::all(),
        complete: true,
        btf: None,
        tracepoints: TRACEPOINTS
            .iter()
            .zip(1..)
            .map(|((name, fields), id)| ((*name).to_owned(), Some(format(id, fields))))
            .chain(SYSCALLS.iter().map(|name| (format!("syscalls:sys_enter_{name}"), None)))
            .collect(),
        functions: FUNCTIONS.iter().map(|name| ((*name).to_owned(), None)).collect(),
        similar: [("sched:sched_swich", "sched:sched_switch"), ("vfs_raed", "vfs_read")]
            .map(|(wrong, right)| (wrong.to_owned(), right.to_owned()))
            .into(),
        kernel_symbols: BTreeMap::new(),
        callable: Default::default(),
        cgroups: BTreeMap::new(),
        added_types: vec![],
        untraceable: ["do_nanosleep".to_owned()].into(),
        variants: [("vfs_copy".to_owned(), vec!["vfs_copy.part.0".to_owned(), "vfs_copy.isra.1".to_owned()])].into(),
        program_functions: [(7, "interval_us_1"), (8, "kprobe_vfs_read_1")]
            .map(|(program, name)| ProgramFunction { program, name: name.to_owned(), ty: TypeId(4) })
            .into(),
        modules: None,
        pid_namespace: None,
        user_files: [("/bin/app".to_owned(), vec![app()])].into(),
        cpus: 2,
    }
}

/// A program with C and C++ functions, two markers, and debug information of its C functions.
fn app() -> UserFile {
    let function = |name: &str, demangled: Option<&str>, offset, size| UserFunction {
        name: name.to_owned(),
        demangled: demangled.map(str::to_owned),
        offset,
        size,
        skip: 0,
        between: if name == "main" { vec![3] } else { vec![] },
        ty: None,
    };
    let (types, serve, main) = types();
    let typed = |name: &str, offset, ty| UserFunction { ty: Some(ty), ..function(name, None, offset, 64) };
    let marker = |name: &str, offset, semaphore, arguments: &str| Marker {
        provider: "app".to_owned(),
        name: name.to_owned(),
        offset,
        semaphore,
        arguments: arguments.to_owned(),
    };
    UserFile {
        name: "/bin/app".to_owned(),
        path: "/bin/app".to_owned(),
        functions: vec![
            function("_Z5pausei", Some("pause(int)"), 0x1300, 16),
            function("_init", None, 0x1000, 0),
            typed("main", 0x1100, main),
            typed("serve", 0x1400, serve),
            function("app.c:7", None, 0x1110, 0),
            function("main_alias", None, 0x1100, 64),
            UserFunction { skip: 4, ..function("malloc", None, 0x1200, 32) },
            function("0x1108", None, 0x1108, 0),
        ],
        markers: vec![marker("request", 0x1120, 0x4000, "-4@%edi 8@-16(%rbp)"), marker("vector", 0x1130, 0, "8@%xmm0")],
        types: Some(Types::new(types)),
        described: true,
        wrong_lines: vec![WrongLine {
            wanted: SourceLine { file: "app.c".to_owned(), line: 99, column: 0 },
            why: "Unable to map 'app.c:99' to address".to_owned(),
            help: "no code was made from that line; the nearest lines with code: 7".to_owned(),
        }],
        ..UserFile::default()
    }
}

/// `struct request`, and `int serve(struct request *r, double load, struct pair both, char mode)` and `int main(int argc)`.
fn types() -> (Btf, TypeId, TypeId) {
    let mut types = Builder::new();
    let int = types.add(&NewType::Int { name: "int".into(), bytes: 4, signed: true, boolean: false });
    let character = types.add(&NewType::Int { name: "char".into(), bytes: 1, signed: true, boolean: false });
    let double = types.add(&NewType::Float { name: "double".into(), bytes: 8 });
    let name = types.add(&NewType::Array { element: character, len: 16 });
    let request = types.reserve();
    let next = types.add(&NewType::Ptr(request));
    let member = |name: &str, ty, bit_offset, bit_width| NewMember { name: name.into(), ty, bit_offset, bit_width };
    let members = vec![
        member("id", int, 0, None),
        member("urgent", int, 32, Some(1)),
        member("tries", int, 33, Some(7)),
        member("name", name, 64, None),
        member("next", next, 192, None),
    ];
    types.set(request, &NewType::Struct { name: "request".into(), bytes: 32, union: false, members });
    let members = vec![member("first", int, 0, None), member("second", int, 32, None)];
    let pair = types.add(&NewType::Struct { name: "pair".into(), bytes: 8, union: false, members });
    let mut function = |name: &str, params: &[(&str, TypeId)]| {
        let params = params.iter().map(|(name, ty)| ((*name).to_owned(), *ty)).collect();
        let proto = types.add(&NewType::FuncProto { result: int, params });
        types.add(&NewType::Func { name: name.into(), proto })
    };
    let serve = function("serve", &[("r", next), ("load", double), ("both", pair), ("mode", character)]);
    let main = function("main", &[("argc", int)]);
    (types.finish().expect("types"), serve, main)
}

fn format(id: u32, fields: &[(&str, &str, u32, u32, bool)]) -> TracepointFormat {
    let field = |(ty, name, offset, size, signed): &(&str, &str, u32, u32, bool)| TracepointField {
        name: (*name).to_owned(),
        ty: (*ty).to_owned(),
        offset: *offset,
        size: *size,
        signed: *signed,
    };
    TracepointFormat { id, fields: fields.iter().map(field).collect() }
}
