//! The type information of a program: what its functions are called, by which tools show it and other programs attach to it, and as much
//! as the kernel asks for before it lets a helper call a function back.
//!
//! The program takes its context and returns an `int`; what helpers call back is static and declares no arguments. Source:
//! `check_btf_func` and the check of `BPF_PSEUDO_FUNC` in kernel/bpf/verifier.c.

/// `BTF_KIND_*` where a type's info word has them.
const KIND_INT: u32 = 1 << 24;
const KIND_POINTER: u32 = 2 << 24;
const KIND_FUNC: u32 = 12 << 24;
const KIND_FUNC_PROTO: u32 = 13 << 24;
/// `BTF_INT_SIGNED`, offset 0, 32 bits.
const SIGNED_32: u32 = 1 << 24 | 32;

/// The numbers of the program's type and of the callbacks' in [`of_functions`].
const PROGRAM: u32 = 4;
const TURN: u32 = 6;

/// Bytes of one record of [`function_info`].
pub const FUNCTION_INFO: usize = 8;

/// The blob `BPF_BTF_LOAD` takes for a program called `name`, which must be a name in C.
pub fn of_functions(name: &str) -> Vec<u8> {
    let mut names = vec![0];
    let mut text = |text: &str| {
        let at = names.len() as u32;
        names.extend(text.bytes());
        names.push(0);
        at
    };
    let (int, context, name, turn) = (text("int"), text("ctx"), text(name), text("turn"));
    // [1] int, [2] void *, [3] int (void *ctx), [4] name, [5] int (), [6] turn
    let types: [&[u32]; 6] = [
        &[int, KIND_INT, 4, SIGNED_32],
        &[0, KIND_POINTER, 0],
        &[0, KIND_FUNC_PROTO | 1, 1, context, 2],
        &[name, KIND_FUNC, 3],
        &[0, KIND_FUNC_PROTO, 1],
        &[turn, KIND_FUNC, 5],
    ];
    let types: Vec<u8> = types.concat().iter().flat_map(|word| word.to_le_bytes()).collect();
    super::sources::blob(&types, &names)
}

/// What the kernel calls `func_info`: for each function the slot it starts at and its type in [`of_functions`].
pub fn function_info(starts: &[usize]) -> Vec<u8> {
    let types = std::iter::once(PROGRAM).chain(std::iter::repeat(TURN));
    let records = starts.iter().zip(types).flat_map(|(start, ty)| [*start as u32, ty]);
    records.flat_map(u32::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::btf::Btf;

    #[test]
    fn the_blob_reads_as_what_it_says() {
        let btf = Btf::parse(of_functions("kprobe_vfs_read_1")).unwrap();
        let (program, turn) = (btf.find_func("kprobe_vfs_read_1").unwrap(), btf.find_func("turn").unwrap());
        assert_eq!((program.0, turn.0), (PROGRAM, TURN));
        let parameters: Vec<&str> = btf.params(program).map(|parameter| parameter.name).collect();
        assert_eq!((parameters, btf.params(turn).count()), (vec!["ctx"], 0));
        assert_eq!(function_info(&[0, 9]), [0, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 6, 0, 0, 0]);
    }
}
