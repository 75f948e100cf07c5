//! Frames of a stack: from the bytes of a stack map to one line each, as the stack mode asks.

use lang::compiled::MACHINERY_FRAMES;
use report::schema::StackMode;

use super::UserSymbol;
use crate::kallsyms::Symbol;

/// Bytes of the kernel's `struct bpf_stack_build_id`: status, build id, offset.
const BUILD_ID_FRAME: usize = 32;
/// `BPF_STACK_BUILD_ID_VALID`
const BUILD_ID_VALID: [u8; 4] = 1u32.to_ne_bytes();

/// The addresses of a stack, innermost first; the rest of its element is zero.
pub fn addresses(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().map(|word| u64::from_ne_bytes(*word)).take_while(|address| *address != 0)
}

/// The kernel's functions between a raw tracepoint and its program.
const MACHINERY: [&str; 3] = ["bpf_trace_run", "__bpf_trace_", "__traceiter_"];

/// What the kernel calls programs and the trampolines that call them from a function's entry. A trampoline is gone when its program
/// is detached: its address then seems to be in the code before it.
const COMPILED: [&str; 2] = ["bpf_prog_", "bpf_trampoline_"];

/// How many of the innermost frames are the tracing itself: the stack of a raw tracepoint or of a function's typed entry starts in
/// its own program, where that of a perf event starts at the tracepoint. The program may be newer than the symbols, so it is known by
/// what called it.
pub fn machinery<'a>(names: impl Iterator<Item = Option<&'a str>>) -> usize {
    let names: Vec<Option<&str>> = names.take(usize::from(MACHINERY_FRAMES)).collect();
    let is = |name: &Option<&str>, prefixes: &[&str]| {
        name.is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
    };
    if let Some(last) = names.iter().rposition(|name| is(name, &MACHINERY)) {
        return last + 1;
    }
    match names.as_slice() {
        [program, trampoline, ..] if is(trampoline, &COMPILED) && (program.is_none() || is(program, &COMPILED)) => 2,
        _ => 0,
    }
}

/// A frame of a kernel stack.
pub fn kernel(mode: StackMode, address: u64, symbol: Option<Symbol<'_>>) -> String {
    let named = symbol.map(|symbol| (symbol.name, address - symbol.address, symbol.module));
    line(mode, address, named)
}

/// A frame of a user stack.
pub fn user(mode: StackMode, address: u64, symbol: Option<&UserSymbol>) -> String {
    let named = symbol.map(|symbol| (symbol.name.as_str(), symbol.offset, symbol.module.as_deref()));
    line(mode, address, named)
}

fn line(mode: StackMode, address: u64, named: Option<(&str, u64, Option<&str>)>) -> String {
    match (mode, named) {
        (StackMode::Raw | StackMode::BuildId, _) => format!("{address:x}"),
        (StackMode::Bpftrace, Some((name, offset, _))) => format!("{name}+{offset}"),
        (StackMode::Bpftrace, None) => format!("{address:#x}"),
        (StackMode::Perf, Some((name, offset, Some(module)))) => format!("{address:x} {name}+{offset} ({module})"),
        (StackMode::Perf, Some((name, offset, None))) => format!("{address:x} {name}+{offset}"),
        (StackMode::Perf, None) => format!("{address:x} {address:#x}"),
    }
}

/// The frames of a stack taken as build ids and offsets into the files that carry them.
pub fn build_ids(bytes: &[u8]) -> impl Iterator<Item = String> {
    let (frames, _) = bytes.as_chunks::<BUILD_ID_FRAME>();
    frames.iter().take_while(|frame| frame.iter().any(|byte| *byte != 0)).map(|frame| {
        let (status, rest) = frame.split_at(4);
        let (id, offset) = rest.split_at(20);
        let offset = offset.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
        if status == BUILD_ID_VALID {
            let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{id} {offset:#x}")
        } else {
            format!("{offset:#x}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_ends_at_its_first_zero() {
        let bytes: Vec<u8> = [3u64, 2, 0, 1].iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(addresses(&bytes).collect::<Vec<_>>(), [3, 2]);
    }

    #[test]
    fn the_frames_of_the_tracing_itself_are_counted() {
        let names =
            |list: &[&'static str]| machinery(list.iter().map(|name| Some(*name)).collect::<Vec<_>>().into_iter());
        assert_eq!(names(&["bpf_prog_1", "bpf_trace_run4", "__traceiter_sched_switch", "__schedule"]), 3);
        assert_eq!(names(&["__schedule", "schedule"]), 0);
        assert_eq!(names(&["bpf_prog_5aa6_p0", "bpf_trampoline_64", "vfs_read", "ksys_read"]), 2);
        // The trampoline is gone.
        assert_eq!(names(&["bpf_prog_5aa6_p0", "bpf_prog_dbad_p1", "vfs_read", "ksys_read"]), 2);
        assert_eq!(machinery([None, Some("bpf_trace_run2"), Some("do_syscall_64")].into_iter()), 2);
    }

    #[test]
    fn each_mode_prints_a_frame_its_own_way() {
        let symbol = UserSymbol { name: "main".to_owned(), offset: 18, module: Some("/bin/true".to_owned()) };
        assert_eq!(user(StackMode::Bpftrace, 0x1012, Some(&symbol)), "main+18");
        assert_eq!(user(StackMode::Perf, 0x1012, Some(&symbol)), "1012 main+18 (/bin/true)");
        assert_eq!(user(StackMode::Raw, 0x1012, Some(&symbol)), "1012");
        assert_eq!(user(StackMode::Bpftrace, 0x1012, None), "0x1012");
    }

    #[test]
    fn a_frame_without_a_build_id_keeps_its_address() {
        let mut bytes = vec![0; 64];
        bytes[..4].copy_from_slice(&1u32.to_ne_bytes());
        bytes[4] = 0xab;
        bytes[24..32].copy_from_slice(&0x10u64.to_ne_bytes());
        bytes[32..36].copy_from_slice(&2u32.to_ne_bytes());
        bytes[56..].copy_from_slice(&0x7000u64.to_ne_bytes());
        let frames: Vec<String> = build_ids(&bytes).collect();
        assert_eq!(frames, [format!("ab{} 0x10", "00".repeat(19)), "0x7000".to_owned()]);
    }
}
