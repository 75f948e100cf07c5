//! Where the instructions of a function start: a breakpoint in the middle of one would make another of it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use iced_x86::{Decoder, DecoderOptions, Instruction};

/// Bytes of the longest instruction of x86-64, and of each of aarch64.
const LONGEST: u64 = 15;
const EACH: u64 = 4;

/// The instructions of x86-64 in some code, one behind the other, up to the first that is none.
pub fn decode(code: &[u8]) -> impl Iterator<Item = Instruction> {
    Decoder::new(64, code, DecoderOptions::NONE).into_iter().take_while(|instruction| !instruction.is_invalid())
}

/// Whether an instruction starts at an offset into the function that starts at `function` in the file. It does where that cannot be
/// told, as of data between instructions.
pub fn starts_at(path: &Path, function: u64, offset: u64) -> bool {
    if cfg!(target_arch = "aarch64") {
        return offset.is_multiple_of(EACH);
    }
    let mut code = vec![0; usize::try_from(offset + LONGEST).unwrap_or(0)];
    // What lies behind the end of the file is no code.
    let read = File::open(path).and_then(|file| file.read_at(&mut code, function)).unwrap_or(0);
    is_start(code.get(..read).unwrap_or_default(), offset)
}

fn is_start(code: &[u8], offset: u64) -> bool {
    let mut ends = decode(code).map(|instruction| instruction.next_ip());
    offset == 0 || ends.find(|end| *end >= offset).is_none_or(|end| end == offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `push %rbp; mov %rsp,%rbp; mov 0x600000,%rax; ret`
    const CODE: [u8; 13] = [0x55, 0x48, 0x89, 0xe5, 0x48, 0x8b, 0x04, 0x25, 0x00, 0x00, 0x60, 0x00, 0xc3];

    #[test]
    fn the_middle_of_an_instruction_is_told_from_its_start() {
        let starts: Vec<u64> = (0..13).filter(|offset| is_start(&CODE, *offset)).collect();
        assert_eq!(starts, [0, 1, 4, 12]);
    }

    #[test]
    fn behind_what_is_no_instruction_anything_may_start() {
        // 0x06 was `push %es` before there were 64 bits.
        assert!(is_start(&[0x55, 0x06, 0x48, 0x89, 0xe5], 3));
        assert!(is_start(&[], 7));
    }
}
