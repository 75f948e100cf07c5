//! Kernel stacks that a program recognises without the kernel's unwinder, against the unwinder's own.
//!
//! Says `SKIP` and why where this process may not trace, or this kernel does not tell how to follow its stacks.

use std::collections::BTreeSet;
use std::fs;

use agent::preflight;
use agent::session::{Session, SessionOptions};
use aya::maps::{HashMap, Map, MapData, MapInfo};
use aya::programs::loaded_programs;

/// How often the system call is made.
const CALLS: u32 = 1000;
/// Its number (x86-64): directories are removed with it.
const UNLINKAT: &str = "263";

/// What the kernel has to say for it, as a script would need it.
fn follows_stacks() -> bool {
    let symbols = fs::read_to_string("/proc/kallsyms").unwrap_or_default();
    symbols.contains(" __start_orc_unwind_ip\n") && fs::exists("/sys/kernel/btf/vmlinux").unwrap_or(false)
}

/// Programs that this process has loaded.
fn own_programs() -> BTreeSet<u32> {
    let infos = fs::read_dir("/proc/self/fdinfo").into_iter().flatten().flatten();
    let texts = infos.filter_map(|info| fs::read_to_string(info.path()).ok());
    texts.filter_map(|text| text.lines().find_map(|line| line.strip_prefix("prog_id:")?.trim().parse().ok())).collect()
}

/// The stacks' numbers by their hashes, as the program remembers them.
fn remembered() -> Vec<(u64, i32)> {
    let own = own_programs();
    let programs = loaded_programs().filter_map(Result::ok).filter(|program| own.contains(&program.id()));
    let maps: BTreeSet<u32> = programs.filter_map(|program| program.map_ids().ok().flatten()).flatten().collect();
    let named = |id: &u32| {
        MapInfo::from_id(*id).is_ok_and(|info| info.name_as_str().is_some_and(|name| name == "known_stacks"))
    };
    let Some(id) = maps.into_iter().find(named) else { return vec![] };
    let map = Map::HashMap(MapData::from_id(id).expect("the map is there while its program is"));
    let map = HashMap::<_, u64, i32>::try_from(map).expect("its keys and values are as the compiler made them");
    map.iter().filter_map(Result::ok).collect()
}

/// A script's session, attached.
fn attached(source: &str) -> Session {
    let script = lang::parse(source).expect("a script");
    let target = agent::target::gather(&lang::needs::needs(&script)).expect("a target");
    let compiled = lang::compile(source, &script, &target, &lang::options::Options::default()).expect("a program");
    Session::start(compiled, SessionOptions { deadline: None, pid: None }).expect("a session")
}

#[test]
fn a_stack_that_was_met_is_recognised() {
    let missing = preflight::missing();
    if !missing.is_empty() || !follows_stacks() {
        println!("SKIP: tracing needs {missing:?}; following stacks needs the kernel's ORC tables and types");
        return;
    }
    let script =
        "tracepoint:raw_syscalls:sys_enter /tid == TID && args.id == UNLINKAT/ { @[kstack] = count(); @n = count(); }";
    let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
    let session = attached(&script.replace("TID", &thread).replace("UNLINKAT", UNLINKAT));
    for _ in 0..CALLS {
        let _ = rustix::fs::rmdir("/nowhere/at/all");
    }
    let known = remembered();
    let left = session.finish(&mut vec![]).expect("an end");
    let printed = report::text::snapshot(&left.snapshot);
    assert!(printed.contains(&format!("]: {CALLS}\n")), "one stack has all the calls: {printed}");
    assert!(printed.contains(&format!("@n: {CALLS}\n")), "{printed}");
    assert!(printed.contains("entry_SYSCALL_64_after_hwframe+"), "{printed}");
    assert_eq!(known.len(), 1, "one stack is known: {known:?}");
    assert!(known.iter().all(|(_, number)| *number >= 0), "the program walks as the kernel does: {known:?}");
}
