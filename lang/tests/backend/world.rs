//! What both the interpreter and the machine find around a program: the context, made-up helpers, and what is noted of a run.

use std::collections::BTreeMap;

use bpf::helper::Helper;

/// What a program did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What it left with.
    pub result: u64,
    /// The calls that have an effect, with their arguments; memory that an argument points to stands for the pointer.
    pub calls: Vec<(Helper, Vec<u64>)>,
}

/// The bytes of the context.
pub fn context() -> Vec<u8> {
    (0..64u8).map(|byte| byte.wrapping_mul(37).wrapping_add(11)).collect()
}

/// Where the context lies.
pub const CONTEXT: u64 = 0x1000_0000;
/// Where maps lie; they cannot be read.
pub const MAPS: u64 = 0x5000_0000;

/// Where the elements of maps lie, eight bytes each.
pub const ELEMENTS: u64 = 0x9000_0000;

/// The answer of a helper: a number that its name and arguments alone decide, small now and then.
pub fn scalar_result(helper: Helper, args: &[u64]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64 ^ helper as u64;
    for arg in args {
        hash = (hash ^ arg).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }
    if hash & 3 == 0 { hash >> 56 } else { hash }
}

/// The elements of maps. One that is replaced gets new memory, and the old one stays as it was, as in the kernel.
#[derive(Clone, Debug, Default)]
pub struct Elements {
    values: Vec<u64>,
    /// Map and key, and which of the values is theirs.
    keys: BTreeMap<(u64, u64), usize>,
}

impl Elements {
    /// The word at an address at or above [`ELEMENTS`], and how many bytes into it the address is.
    pub fn word(&mut self, address: u64) -> (&mut u64, u64) {
        let offset = address - ELEMENTS;
        (&mut self.values[(offset / 8) as usize], offset % 8)
    }
}

/// Memory as a helper sees it.
pub trait Memory {
    fn elements(&mut self) -> &mut Elements;
    fn read(&mut self, address: u64, bytes: u32) -> u64;
    fn write(&mut self, address: u64, bytes: u32, value: u64);
}

/// Calls a made-up helper.
pub fn call(helper: Helper, args: &[u64], memory: &mut impl Memory, outcome: &mut Outcome) -> u64 {
    match (helper, args) {
        // Fills `size` bytes at `dst` with a pattern that `src` decides.
        (Helper::ProbeReadKernel, [dst, size, src]) => {
            for index in 0..*size {
                memory.write(dst + index, 1, scalar_result(helper, &[*src, index]) & 0xff);
            }
            outcome.calls.push((helper, vec![*size, *src]));
            0
        }
        // Keys and values are eight bytes each.
        (Helper::MapLookupElem, [map, key]) => {
            let key = memory.read(*key, 8);
            memory.elements().keys.get(&(*map, key)).map_or(0, |index| ELEMENTS + 8 * *index as u64)
        }
        (Helper::MapUpdateElem, [map, key, value, flags]) => {
            let (key, value) = (memory.read(*key, 8), memory.read(*value, 8));
            let elements = memory.elements();
            elements.values.push(value);
            elements.keys.insert((*map, key), elements.values.len() - 1);
            outcome.calls.push((helper, vec![*map, key, value, *flags]));
            0
        }
        (Helper::MapDeleteElem, [map, key]) => {
            let key = memory.read(*key, 8);
            let missing = memory.elements().keys.remove(&(*map, key)).is_none();
            outcome.calls.push((helper, vec![*map, key]));
            u64::from(missing)
        }
        _ => {
            if !helper.is_pure() {
                outcome.calls.push((helper, args.to_vec()));
            }
            scalar_result(helper, args)
        }
    }
}
