//! A blob made by hand, corrupt ones, and the running kernel's.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "one test reads this machine's kernel types, or says that there are none"
)]

use proptest::prelude::*;

use super::*;

/// Writes a blob: each type is its words, names are offsets into `strings`.
fn blob(types: &[&[u32]], strings: &[u8]) -> Vec<u8> {
    let words: Vec<u8> = types.iter().flat_map(|ty| ty.iter().flat_map(|word| word.to_le_bytes())).collect();
    let mut data = vec![0x9f, 0xeb, 1, 0];
    for word in [HEADER as u32, 0, words.len() as u32, words.len() as u32, strings.len() as u32] {
        data.extend(word.to_le_bytes());
    }
    data.extend(words);
    data.extend(strings);
    data
}

fn info(kind: Kind, count: u32) -> u32 {
    (kind as u32) << 24 | count
}

/// `int`, a struct `s { union { int a; int b; }; int c : 3; int d[4]; }`, an enum, a typedef, a function.
fn sample() -> Vec<u8> {
    let strings = b"\0int\0s\0a\0b\0c\0d\0e\0MINUS\0t\0f\0x\0";
    let at = |name: &str| {
        let bytes = format!("\0{name}\0");
        memchr::memmem::find(strings, bytes.as_bytes()).unwrap() as u32 + 1
    };
    blob(
        &[
            &[at("int"), info(Kind::Int, 0), 4, 1 << 24 | 32],
            &[0, info(Kind::Union, 2), 4, at("a"), 1, 0, at("b"), 1, 0],
            &[0, info(Kind::Array, 0), 0, 1, 1, 4],
            &[at("s"), info(Kind::Struct, 3) | 1 << 31, 24, 0, 2, 0, at("c"), 1, 3 << 24 | 32, at("d"), 3, 64],
            &[at("e"), info(Kind::Enum, 1) | 1 << 31, 4, at("MINUS"), -7i32 as u32],
            &[at("t"), info(Kind::Typedef, 0), 7],
            &[0, info(Kind::Const, 0), 4],
            &[0, info(Kind::FuncProto, 1), 1, at("x"), 6],
            &[at("f"), info(Kind::Func, 1), 8],
        ],
        strings,
    )
}

#[test]
fn types_are_declared_as_in_c() {
    let btf = Btf::parse(sample()).unwrap();
    let defined = btf.definition(btf.find_struct("s").unwrap()).unwrap();
    assert_eq!(defined, "struct s {\n\tunion {\n\t\tint a;\n\t\tint b;\n\t};\n\tint c: 3;\n\tint d[4];\n}");
    let typedef = btf.find_typedef("t").unwrap();
    assert_eq!(btf.declaration(typedef, "x"), "t x");
    assert_eq!(btf.declaration(typedef, ""), "t");
    let function = btf.params(btf.find_func("f").unwrap()).next().unwrap();
    assert_eq!(btf.declaration(function.ty, function.name), "t x");
    assert_eq!(btf.definition(typedef), None);
}

#[test]
fn pointers_to_arrays_and_functions_are_bracketed() {
    let strings = b"\0int\0";
    let types: &[&[u32]] = &[
        &[1, info(Kind::Int, 0), 4, 1 << 24 | 32],
        &[0, info(Kind::Array, 0), 0, 1, 1, 4],
        &[0, info(Kind::Ptr, 0), 2],
        &[0, info(Kind::Const, 0), 1],
        &[0, info(Kind::Ptr, 0), 4],
        &[0, info(Kind::FuncProto, 2), 0, 0, 5, 0, 1],
        &[0, info(Kind::Ptr, 0), 6],
        &[0, info(Kind::Const, 0), 5],
        &[0, info(Kind::Ptr, 0), 9],
    ];
    let btf = Btf::parse(blob(types, strings)).unwrap();
    assert_eq!(btf.declaration(TypeId(3), "p"), "int (*p)[4]");
    assert_eq!(btf.declaration(TypeId(5), "p"), "const int *p");
    assert_eq!(btf.declaration(TypeId(7), "f"), "void (*f)(const int *, int)");
    assert_eq!(btf.declaration(TypeId(8), "p"), "const int *const p");
    // A pointer to itself cannot be declared; what matters is an end.
    assert!(btf.declaration(TypeId(9), "p").ends_with('p'));
}

#[test]
fn members_are_found_through_anonymous_unions_and_typedefs() {
    let btf = Btf::parse(sample()).unwrap();
    let typedef = btf.find_typedef("t").unwrap();
    assert_eq!(btf.resolve(typedef), btf.find_struct("s").unwrap());
    assert_eq!(btf.member(typedef, "b").unwrap().offset(), 0);
    let bits = btf.member(typedef, "c").unwrap();
    assert_eq!((bits.bit_offset, bits.bit_width), (32, Some(3)));
    assert_eq!(btf.size_of(btf.member(typedef, "d").unwrap().ty), Some(16));
    assert_eq!(btf.member(typedef, "nothing"), None);
    let names: Vec<&str> = btf.named_members(typedef).iter().map(|member| member.name).collect();
    assert_eq!(names.len(), 4);
    assert!(["a", "b", "c", "d"].iter().all(|name| names.contains(name)));
}

#[test]
fn constants_and_parameters_are_found_by_name() {
    let btf = Btf::parse(sample()).unwrap();
    let (constant, of) = btf.enum_constant("MINUS").unwrap();
    assert_eq!((constant.value, of), (-7, btf.find_enum("e").unwrap()));
    let params: Vec<Param> = btf.params(btf.find_func("f").unwrap()).collect();
    assert_eq!(params, [Param { name: "x", ty: TypeId(6) }]);
    assert_eq!(btf.find_struct("t"), None);
    assert_eq!(btf.find_struct(""), None);
}

#[test]
fn types_of_several_sources_keep_their_own_numbers_beside_the_common_ones() {
    let kernel = Btf::parse(sample()).unwrap();
    let strings_end = sample().len() as u32 - memchr::memmem::find(&sample(), b"\0int\0").unwrap() as u32;
    // A pointer to the kernel's struct, and a typedef whose name is the module's own.
    let module = |name: &[u8]| {
        blob(
            &[&[0, info(Kind::Ptr, 0), 4], &[strings_end + 1, info(Kind::Typedef, 0), 10]],
            &[b"\0", name, b"\0"].concat(),
        )
    };
    let alone = functions::of_functions(&["kprobe_vfs_read_1"]);
    let (first, second) = (module(b"own"), module(b"other"));
    let all = kernel.with(&[Added::Module(&first), Added::Module(&second), Added::Alone(&alone)]).unwrap();
    for (name, source) in [("own", 1), ("other", 2)] {
        let typedef = all.find_typedef(name).unwrap();
        assert_eq!(all.origin(typedef), (source, TypeId(11)));
        assert_eq!(all.among_all(source, TypeId(11)), typedef);
        assert_eq!(all.pointee(typedef), all.find_struct("s"));
    }
    let program = all.find_func("kprobe_vfs_read_1").unwrap();
    assert_eq!(all.origin(program), (3, TypeId(6)));
    let [context] = all.params(program).collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!((context.name, all.ty(context.ty)), ("ctx", Some(Type::Ptr(TypeId::VOID))));
    assert_eq!(all.origin(all.find_struct("s").unwrap()).0, 0);
}

#[test]
fn what_cannot_be_added_is_refused_whatever_is_wrong_with_it() {
    let kernel = Btf::parse(sample()).unwrap();
    assert!(kernel.with(&[Added::Module(b"nothing")]).is_err());
    let whole = functions::of_functions(&["program"]);
    for length in 0..whole.len() {
        assert!(kernel.with(&[Added::Alone(&whole[..length])]).is_err());
    }
}

#[test]
fn what_is_not_btf_is_named() {
    assert_eq!(Btf::parse(vec![]).unwrap_err(), BtfError::NotBtf);
    assert_eq!(Btf::parse(vec![0; 64]).unwrap_err(), BtfError::NotBtf);
    let mut data = sample();
    data[2] = 2;
    assert_eq!(Btf::parse(data).unwrap_err(), BtfError::Version(2));
    let mut data = sample();
    data[12] = 0xff;
    data[14] = 0xff;
    assert_eq!(Btf::parse(data).unwrap_err(), BtfError::Section("type"));
    assert_eq!(Btf::parse(blob(&[&[0, 31 << 24, 0]], b"\0")).unwrap_err(), BtfError::UnknownKind { id: 1, kind: 31 });
    assert_eq!(Btf::parse(blob(&[&[0, info(Kind::Array, 0), 0]], b"\0")).unwrap_err(), BtfError::Truncated(1));
}

#[test]
fn a_type_that_contains_itself_ends_the_walk() {
    let strings = b"\0t\0";
    let looped = [1, info(Kind::Typedef, 0), 1];
    let nested = [0, info(Kind::Struct, 2), 4, 0, 2, 0, 0, 2, 0];
    let array = [0, info(Kind::Array, 0), 0, 3, 1, 2];
    let btf = Btf::parse(blob(&[&looped, &nested, &array], strings)).unwrap();
    assert_eq!(btf.resolve(TypeId(1)), TypeId(1));
    assert_eq!(btf.member(TypeId(2), "t"), None);
    assert!(btf.named_members(TypeId(2)).is_empty());
    assert_eq!(btf.size_of(TypeId(3)), None);
}

/// Asks everything of every type.
fn walk(btf: &Btf) {
    for id in (0..btf.type_count() + 2).map(TypeId) {
        let _ = (btf.ty(id), btf.size_of(id), btf.member(id, "a"), btf.named_members(id), btf.has_tag(id, "user"));
        let _ = (btf.enum_constants(id).count(), btf.params(id).count(), btf.pointee(id));
    }
    let _ = (btf.enum_constant("MINUS"), btf.find_struct("s"), btf.tracepoint_params("x"));
}

proptest! {
    #[test]
    fn corrupt_bytes_never_panic(changes in prop::collection::vec((0usize..400, any::<u8>()), 1..12)) {
        let mut data = sample();
        for (at, byte) in changes {
            let length = data.len();
            data[at % length] = byte;
        }
        if let Ok(btf) = Btf::parse(data) {
            walk(&btf);
        }
    }
}

#[test]
fn the_running_kernel_is_readable() {
    let Ok(data) = std::fs::read("/sys/kernel/btf/vmlinux") else {
        eprintln!("SKIP: this kernel has no /sys/kernel/btf/vmlinux");
        return;
    };
    let btf = Btf::parse(data).unwrap();
    let task = btf.find_struct("task_struct").unwrap();
    let comm = btf.member(task, "comm").unwrap();
    assert_eq!(btf.size_of(comm.ty), Some(16));
    assert_eq!(comm.bit_offset % 8, 0);
    assert!(btf.size_of(task).unwrap() > 1000);
    let switch = btf.tracepoint_params("sched_switch").unwrap();
    assert!(switch.len() >= 3);
    assert_eq!(btf.pointee(switch[1].ty).map(|to| btf.resolve(to)), Some(task));
    let (reason, _) = btf.enum_constant("BPF_MAP_TYPE_RINGBUF").unwrap();
    assert_eq!(reason.value, 27);
    let func = btf.find_func("vfs_read").unwrap();
    assert_eq!(btf.params(func).map(|param| param.name).collect::<Vec<_>>(), ["file", "buf", "count", "pos"]);
}
