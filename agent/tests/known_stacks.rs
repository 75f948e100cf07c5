//! Stacks that a program recognises without the kernel's unwinder, against the unwinder's own.
//!
//! Says `SKIP` and why where this process may not trace, or this kernel does not tell how to follow its stacks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use agent::preflight;
use agent::session::{Session, SessionOptions};
use aya::maps::{Array, HashMap, Map, MapData, MapInfo};
use aya::programs::loaded_programs;

/// How often the system call is made.
const CALLS: u32 = 1000;
/// More often the kernel need not be asked until a program knows its way up one stack: once for each function, and where it starts.
const FEW: u64 = 32;
/// For how long it is made while samples are taken.
const SAMPLED: Duration = Duration::from_secs(1);
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

/// How many stacks are kept, and how often the kernel was asked for one.
fn kept_and_asked() -> (usize, u64) {
    let own = own_programs();
    let programs = loaded_programs().filter_map(Result::ok).filter(|program| own.contains(&program.id()));
    let maps: BTreeSet<u32> = programs.filter_map(|program| program.map_ids().ok().flatten()).flatten().collect();
    let open = |name: &str| {
        let named = |id: &&u32| MapInfo::from_id(**id).is_ok_and(|info| info.name_as_str() == Some(name));
        let id = maps.iter().find(named).expect("a map of this name");
        MapData::from_id(*id).expect("the map is there while its program is")
    };
    let stacks = HashMap::<_, u64, [u64; 127]>::try_from(Map::HashMap(open("stacks"))).expect("numbers and frames");
    // The last of three words for each place of the script that takes a stack.
    let walks = Array::<_, [u64; 3]>::try_from(Map::Array(open("walks"))).expect("three words");
    (stacks.keys().filter_map(Result::ok).count(), walks.get(&0, 0).expect("its only element")[2])
}

/// A script's session, attached.
fn attached(source: &str) -> Session {
    let script = lang::parse(source).expect("a script");
    let target = agent::target::gather(&lang::needs::needs(&script)).expect("a target");
    let compiled = lang::compile(source, &script, &target, &lang::options::Options::default()).expect("a program");
    Session::start(compiled, SessionOptions::default()).expect("a session")
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
    let (kept, asked) = kept_and_asked();
    let left = session.finish(&mut vec![]).expect("an end");
    let printed = report::text::snapshot(&left.snapshot);
    assert!(printed.contains(&format!("]: {CALLS}\n")), "one stack has all the calls: {printed}");
    assert!(printed.contains(&format!("@n: {CALLS}\n")), "{printed}");
    assert!(printed.contains("entry_SYSCALL_64_after_hwframe+"), "{printed}");
    assert_eq!(kept, 1, "one stack is kept");
    assert!(asked < FEW, "the program walks as the kernel does: it asked {asked} times");
}

#[test]
fn a_stack_that_was_sampled_is_recognised() {
    let missing = preflight::missing();
    if !missing.is_empty() || !follows_stacks() {
        println!("SKIP: tracing needs {missing:?}; following stacks needs the kernel's ORC tables and types");
        return;
    }
    let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
    let script = "profile:hz:4999 /tid == TID && !usermode/ { @[kstack] = count(); @n = count(); }";
    let session = attached(&script.replace("TID", &thread));
    let start = Instant::now();
    while start.elapsed() < SAMPLED {
        let _ = rustix::fs::rmdir("/nowhere/at/all");
    }
    let (kept, asked) = kept_and_asked();
    let left = session.finish(&mut vec![]).expect("an end");
    let printed = report::text::snapshot(&left.snapshot);
    let samples: u64 = printed.lines().find_map(|line| line.strip_prefix("@n: ")?.parse().ok()).unwrap_or(0);
    assert!(samples > 0, "the call takes time in the kernel: {printed}");
    assert!(printed.contains("entry_SYSCALL_64_after_hwframe+"), "{printed}");
    assert!(kept > 0 && asked < samples, "asked {asked} times for {kept} stacks in {samples} samples");
}

/// The call, with something done to the frame pointer before it.
const CALL: &str = r#"
#define CALL(set) \
    __asm__ volatile("push %%rbp\n\t" set "\n\tmov $263, %%eax\n\tmov $-100, %%edi\n\txor %%esi, %%esi\n\txor %%edx, %%edx\n\tsyscall\n\tpop %%rbp" \
                     ::: "rax", "rdi", "rsi", "rdx", "rcx", "r11", "memory")
"#;

/// Makes the call 1000 times from functions that keep frame pointers, or with the register holding something else.
const CALLER: &str = r#"
void inner(int frames) { if (frames) CALL(""); else CALL("mov $0x12345, %%ebp"); }
void middle(int frames) { inner(frames); }
void outer(int frames) { middle(frames); }
int main(int argc, char **argv) { for (int i = 0; i < 1000; i++) outer(argc > 1); return 0; }
"#;

/// Makes the call once from each of 2048 stacks: at each of eleven steps there are two places to call from.
const BRANCHES: &str = r#"
void step(int steps, int path) {
    if (!steps) CALL("");
    else if (path & 1) step(steps - 1, path >> 1);
    else step(steps - 1, path >> 1);
}
int main(void) { for (int path = 0; path < 2048; path++) step(11, path); return 0; }
"#;

/// A program, compiled; `None` where there is no compiler.
fn compiled(folder: &Path, text: &str) -> Option<PathBuf> {
    let (source, binary) = (folder.join("caller.c"), folder.join("caller"));
    fs::write(&source, format!("{CALL}{text}")).expect("a file");
    let options = ["-O0", "-fno-omit-frame-pointer", "-o"];
    let status = Command::new("cc").args(options).arg(&binary).arg(&source).status().ok()?;
    status.success().then_some(binary)
}

#[test]
fn a_stack_of_a_process_is_recognised_whether_or_not_it_keeps_frame_pointers() {
    let missing = preflight::missing();
    let folder = tempfile::tempdir().expect("a folder");
    let Some(binary) = compiled(folder.path(), CALLER).filter(|_| missing.is_empty() && cfg!(target_arch = "x86_64"))
    else {
        println!("SKIP: tracing needs {missing:?}; the traced program needs a C compiler and x86-64");
        return;
    };
    let script =
        "tracepoint:raw_syscalls:sys_enter /comm == \"caller\" && args.id == UNLINKAT/ { @[ustack] = count(); }";
    // The functions' own, main, and what called it.
    for (argument, least, most) in [(Some("frames"), 5, 64), (None, 1, 1)] {
        let session = attached(&script.replace("UNLINKAT", UNLINKAT));
        assert!(Command::new(&binary).args(argument).status().expect("it runs").success());
        let (kept, asked) = kept_and_asked();
        let left = session.finish(&mut vec![]).expect("an end");
        let printed = report::text::snapshot(&left.snapshot);
        assert_eq!(printed.matches("]: ").count(), 1, "one stack: {printed}");
        assert!(printed.contains(&format!("]: {CALLS}\n")), "it has all the calls: {printed}");
        let frames = printed.lines().filter(|line| line.starts_with(' ')).count();
        assert!((least..=most).contains(&frames), "{printed}");
        assert_eq!(kept, 1, "one stack is kept");
        assert!(asked < FEW, "the program walks as the kernel does: it asked {asked} times");
    }
}

#[test]
fn no_stack_is_lost_among_thousands() {
    let missing = preflight::missing();
    let folder = tempfile::tempdir().expect("a folder");
    let Some(binary) = compiled(folder.path(), BRANCHES).filter(|_| missing.is_empty() && cfg!(target_arch = "x86_64"))
    else {
        println!("SKIP: tracing needs {missing:?}; the traced program needs a C compiler and x86-64");
        return;
    };
    let script =
        "tracepoint:raw_syscalls:sys_enter /comm == \"caller\" && args.id == UNLINKAT/ { @[ustack] = count(); }";
    let session = attached(&script.replace("UNLINKAT", UNLINKAT));
    assert!(Command::new(&binary).status().expect("it runs").success());
    let left = session.finish(&mut vec![]).expect("an end");
    let printed = report::text::snapshot(&left.snapshot);
    assert_eq!(left.lost.stacks, 0, "of {} rows", printed.matches("]: ").count());
    assert_eq!(printed.matches("]: 1\n").count(), 2048, "each stack was there once: {printed}");
}
