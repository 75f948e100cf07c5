//! The type information of programs: what their functions are called, by which tools show it and other programs attach to it, and as much
//! as the kernel asks for before it lets a helper call a function back.
//!
//! A program takes its context and returns an `int`; what helpers call back is static and declares no arguments. Source:
//! `check_btf_func` and the check of `BPF_PSEUDO_FUNC` in kernel/bpf/verifier.c.

/// `BTF_KIND_*` where a type's info word has them.
const KIND_INT: u32 = 1 << 24;
const KIND_POINTER: u32 = 2 << 24;
const KIND_FUNC: u32 = 12 << 24;
const KIND_FUNC_PROTO: u32 = 13 << 24;
/// `BTF_INT_SIGNED`, offset 0, 32 bits.
const SIGNED_32: u32 = 1 << 24 | 32;

/// The numbers in [`of_functions`] of the type of what helpers call back, and of the first program's.
const TURN: u32 = 5;
const FIRST_PROGRAM: u32 = 6;

/// Bytes of one record of [`function_info`].
pub const FUNCTION_INFO: usize = 8;

/// The blob `BPF_BTF_LOAD` takes for programs of these names, which must be names in C.
pub fn of_functions(programs: &[&str]) -> Vec<u8> {
    let mut names = vec![0];
    let mut text = |text: &str| {
        let at = names.len() as u32;
        names.extend(text.bytes());
        names.push(0);
        at
    };
    let (int, context, turn) = (text("int"), text("ctx"), text("turn"));
    // [1] int, [2] void *, [3] int (void *ctx), [4] int (), [5] turn, [6] the first program
    let shared: [&[u32]; 5] = [
        &[int, KIND_INT, 4, SIGNED_32],
        &[0, KIND_POINTER, 0],
        &[0, KIND_FUNC_PROTO | 1, 1, context, 2],
        &[0, KIND_FUNC_PROTO, 1],
        &[turn, KIND_FUNC, 4],
    ];
    let programs = programs.iter().flat_map(|name| [text(name), KIND_FUNC, 3]);
    let types: Vec<u8> = shared.concat().into_iter().chain(programs).flat_map(u32::to_le_bytes).collect();
    super::sources::blob(&types, &names)
}

/// What the kernel calls `func_info`: for each function of a program the slot it starts at and its type in [`of_functions`], in which
/// `program` counts from 0.
pub fn function_info(program: usize, starts: &[usize]) -> Vec<u8> {
    let types = std::iter::once(FIRST_PROGRAM + program as u32).chain(std::iter::repeat(TURN));
    let records = starts.iter().zip(types).flat_map(|(start, ty)| [*start as u32, ty]);
    records.flat_map(u32::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::btf::Btf;

    #[test]
    fn the_blob_reads_as_what_it_says() {
        let btf = Btf::parse(of_functions(&["begin_1", "kprobe_vfs_read_1"])).unwrap();
        let numbers = ["begin_1", "kprobe_vfs_read_1", "turn"].map(|name| btf.find_func(name).unwrap());
        assert_eq!(numbers.map(|number| number.0), [FIRST_PROGRAM, FIRST_PROGRAM + 1, TURN]);
        let [_, program, turn] = numbers;
        let parameters: Vec<&str> = btf.params(program).map(|parameter| parameter.name).collect();
        assert_eq!((parameters, btf.params(turn).count()), (vec!["ctx"], 0));
        assert_eq!(function_info(1, &[0, 9]), [0, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0]);
    }
}
