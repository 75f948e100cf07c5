//! How far behind a function's start a probe of its entry costs one trap instead of two (x86-64).
//!
//! The kernel carries some instructions out by itself when a probe is at them: `push` and jumps among others. Over all others it
//! has the CPU step once, which is a second trap and on a virtual machine the dearer one by far. A landing mark and a comparison change
//! nothing that a probe reads but the address and the flags, so that behind them it sees the same.
//! Source: arch/x86/kernel/uprobes.c of the kernel.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use iced_x86::{Code, Mnemonic};
use lang::target::UserFunction;

use super::instruction;

/// Bytes that tell whether there is anything to skip: a mark, the longest comparison, and what follows.
const HEAD: u64 = 20;
/// Bytes of the largest function that is looked through for jumps.
const LARGEST: u64 = 1 << 16;

/// Notes of each function how far behind its start a probe is carried out by the kernel alone.
pub fn note(path: &Path, functions: &mut [UserFunction]) {
    let Some(file) = File::open(path).ok().filter(|_| cfg!(target_arch = "x86_64")) else { return };
    for function in functions {
        function.skip = of(&file, function).unwrap_or_default();
    }
}

fn of(file: &File, function: &UserFunction) -> Option<u8> {
    let read = |bytes: u64| {
        let mut code = vec![0; usize::try_from(bytes).ok()?];
        file.read_exact_at(&mut code, function.offset).ok()?;
        Some(code)
    };
    let head = read(function.size.min(HEAD))?;
    let skip = first_emulated(&head).filter(|skip| *skip > 0)?;
    let code = if function.size <= LARGEST { read(function.size)? } else { return None };
    (!is_jumped_to(&code, skip)).then_some(skip as u8)
}

/// Where the first instruction is that the kernel carries out, if only a mark and a comparison are in front of it.
fn first_emulated(code: &[u8]) -> Option<usize> {
    let mut instructions = instruction::decode(code).peekable();
    let mut at = 0;
    for skipped in [|code| code == Code::Endbr64, is_comparison] {
        at += instructions.next_if(|next| skipped(next.code())).map_or(0, |skipped| skipped.len());
    }
    let next = instructions.next()?;
    (is_conditional_jump(next.mnemonic()) || next.code() == Code::Push_r64).then_some(at)
}

fn is_comparison(code: Code) -> bool {
    matches!(code.mnemonic(), Mnemonic::Cmp | Mnemonic::Test)
}

fn is_conditional_jump(mnemonic: Mnemonic) -> bool {
    use Mnemonic::{Ja, Jae, Jb, Jbe, Je, Jg, Jge, Jl, Jle, Jne, Jno, Jnp, Jns, Jo, Jp, Js};
    matches!(mnemonic, Ja | Jae | Jb | Jbe | Je | Jg | Jge | Jl | Jle | Jne | Jno | Jnp | Jns | Jo | Jp | Js)
}

/// Whether any jump of the function, or what looks like one, leads to this place: it would be counted as an entry.
fn is_jumped_to(code: &[u8], place: usize) -> bool {
    let is_place = |from: usize, distance: i64| from as i64 + distance == place as i64;
    (0..code.len()).any(|at| match code.get(at..).unwrap_or_default() {
        [0x70..=0x7f | 0xeb | 0xe0..=0xe3, near, ..] if is_place(at + 2, i64::from(near.cast_signed())) => true,
        [0xe9, a, b, c, d, ..] => is_place(at + 5, i64::from(i32::from_le_bytes([*a, *b, *c, *d]))),
        [0x0f, 0x80..=0x8f, a, b, c, d, ..] => is_place(at + 6, i64::from(i32::from_le_bytes([*a, *b, *c, *d]))),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `endbr64`
    const LANDING_MARK: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];

    fn after_mark(rest: &[u8]) -> Option<usize> {
        first_emulated(&[LANDING_MARK.as_slice(), rest].concat())
    }

    #[test]
    fn a_landing_mark_is_skipped_where_a_push_follows() {
        assert_eq!(after_mark(&[0x55, 0x48]), Some(4));
        assert_eq!(after_mark(&[0x41, 0x57]), Some(4));
        assert_eq!(after_mark(&[0x48, 0x83, 0xec, 0x18]), None, "another instruction");
        assert_eq!(after_mark(&[]), None, "another function");
        assert_eq!(first_emulated(&[0x55; 6]), Some(0), "no mark");
    }

    #[test]
    fn a_comparison_is_skipped_where_a_jump_or_a_push_follows() {
        let cases: [(&[u8], usize); 8] = [
            (&[0x80, 0x3d, 1, 2, 3, 4, 0, 0x74, 0x17], 7),
            (&[0x48, 0x85, 0xff, 0x74, 0x10], 3),
            (&[0x83, 0xff, 0x05, 0x0f, 0x84, 1, 0, 0, 0], 3),
            (&[0x41, 0xf6, 0x44, 0x24, 0x08, 0x01, 0x75, 0x02], 6),
            (&[0x48, 0x81, 0xfe, 1, 2, 3, 4, 0x55], 7),
            (&[0x3d, 1, 0, 0, 0, 0x7f, 0x02], 5),
            (&[0x48, 0x39, 0x04, 0x25, 1, 2, 3, 4, 0x72, 0x02], 8),
            (&[0x39, 0x47, 0x10, 0x72, 0x02], 3),
        ];
        for (code, skip) in cases {
            assert_eq!(first_emulated(code), Some(skip), "{code:x?}");
            assert_eq!(after_mark(code), Some(skip + 4), "{code:x?}");
        }
        assert_eq!(first_emulated(&[0x48, 0x83, 0xec, 0x18, 0x74, 0x02]), None, "`sub` moves the stack");
        assert_eq!(first_emulated(&[0x48, 0x85, 0xff, 0xc3]), None, "another instruction follows");
        assert_eq!(first_emulated(&[0x48, 0x85]), None, "code ends");
    }

    #[test]
    fn a_place_that_a_loop_leads_back_to_is_not_taken() {
        let head = [0x48, 0x85, 0xff, 0x74, 0x05];
        assert!(is_jumped_to(&[head.as_slice(), &[0x48, 0xff, 0xcf, 0xeb, 0xf9]].concat(), 3), "jmp");
        assert!(is_jumped_to(&[head.as_slice(), &[0x0f, 0x85, 0xf8, 0xff, 0xff, 0xff]].concat(), 3), "jne, far");
        assert!(!is_jumped_to(&[head.as_slice(), &[0x48, 0xff, 0xcf, 0xeb, 0xf6]].concat(), 3), "back to the start");
    }
}
