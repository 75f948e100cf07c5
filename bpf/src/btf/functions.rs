//! The type information of a program of several functions: as little as the kernel asks for before it lets a helper call one back.
//!
//! Every function is static, declares no arguments and returns an `int`. Source: `check_btf_func` and the check of
//! `BPF_PSEUDO_FUNC` in kernel/bpf/verifier.c.

use super::{HEADER, MAGIC};

/// The blob's names, each behind the NUL of the one before.
const NAMES: &[u8] = b"\0int\0program\0turn\0";
/// Where `int`, `program` and `turn` start in it.
const INT: u32 = 1;
const PROGRAM: u32 = 5;
const TURN: u32 = 13;
/// `BTF_KIND_INT`, `BTF_KIND_FUNC` and `BTF_KIND_FUNC_PROTO` where a type's info word has them.
const KIND_INT: u32 = 1 << 24;
const KIND_FUNC: u32 = 12 << 24;
const KIND_FUNC_PROTO: u32 = 13 << 24;
/// `BTF_INT_SIGNED`, offset 0, 32 bits.
const SIGNED_32: u32 = 1 << 24 | 32;

/// Bytes of one record of [`function_info`].
pub const FUNCTION_INFO: usize = 8;

/// The blob `BPF_BTF_LOAD` takes.
pub fn of_functions() -> Vec<u8> {
    // [1] int, [2] int (), [3] program, [4] turn
    let types: [u32; 13] =
        [INT, KIND_INT, 4, SIGNED_32, 0, KIND_FUNC_PROTO, 1, PROGRAM, KIND_FUNC, 2, TURN, KIND_FUNC, 2];
    let types: Vec<u8> = types.iter().flat_map(|word| word.to_le_bytes()).collect();
    let (type_bytes, name_bytes) = (types.len() as u32, NAMES.len() as u32);
    let mut blob = Vec::with_capacity(HEADER + types.len() + NAMES.len());
    blob.extend(MAGIC.to_le_bytes());
    // Version 1, no flags.
    blob.extend([1, 0]);
    for word in [HEADER as u32, 0, type_bytes, type_bytes, name_bytes] {
        blob.extend(word.to_le_bytes());
    }
    blob.extend(types);
    blob.extend(NAMES);
    blob
}

/// What the kernel calls `func_info`: for each function the slot it starts at and its type in [`of_functions`].
pub fn function_info(starts: &[usize]) -> Vec<u8> {
    let types = std::iter::once(3u32).chain(std::iter::repeat(4));
    let records = starts.iter().zip(types).flat_map(|(start, ty)| [*start as u32, ty]);
    records.flat_map(u32::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::btf::Btf;

    #[test]
    fn the_blob_reads_as_what_it_says() {
        let btf = Btf::parse(of_functions()).unwrap();
        assert!(btf.find_func("program").is_some());
        assert!(btf.find_func("turn").is_some());
        assert_eq!(function_info(&[0, 9]), [0, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0]);
    }
}
