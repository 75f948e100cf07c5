//! How the kernel itself finds its way up a stack: the ORC tables it was built with (x86-64, kernel 4.14).
//!
//! For each stretch of code an entry says where the caller's stack pointer was, as a distance from the current one or from the
//! frame pointer, and whether the frame pointer was saved. The tables are two arrays in the kernel's memory, of the stretches'
//! first addresses and of the entries; the entry's layout has changed several times and is taken from the kernel's types.

use bpf::btf::{Btf, TypeId};

use crate::target::{Arch, Target};

/// The symbols around the tables: where the addresses start, where they end, where the entries start.
pub const SYMBOLS: [&str; 3] = ["__start_orc_unwind_ip", "__stop_orc_unwind_ip", "__start_orc_unwind"];

/// The tables of one kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orc {
    /// Where the first addresses are: 32-bit numbers, each a distance from itself.
    pub addresses: u64,
    /// How many there are.
    pub count: u64,
    /// Where the entries are.
    pub entries: u64,
    /// What an entry looks like.
    pub entry: Entry,
}

/// What an entry looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bytes of it, at most 8.
    pub size: u32,
    /// The caller's stack pointer's distance, signed.
    pub sp_offset: Bits,
    /// Where the frame pointer was saved, from the caller's stack pointer, signed.
    pub bp_offset: Bits,
    /// What `sp_offset` is a distance from.
    pub sp_register: Bits,
    /// What `bp_offset` is a distance from.
    pub bp_register: Bits,
    /// What kind of frame it is.
    pub kind: Bits,
    /// How kinds are numbered.
    pub kinds: Kinds,
}

/// Some bits of an entry that is taken for a little-endian number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// The lowest.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// The numbers of frame kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// A function that was called.
    pub call: i64,
    /// An interruption: the registers are on the stack.
    pub registers: i64,
    /// What tells that there is no caller.
    pub end: End,
}

/// What tells that there is no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A kind of its own; kernel 6.3.
    Kind(i64),
    /// A bit.
    Bit(Bits),
}

/// `ORC_REG_UNDEFINED`: nothing, at the end of stacks and in code that keeps no frame.
pub const UNDEFINED: i64 = 0;
/// `ORC_REG_PREV_SP`: the caller's stack pointer.
pub const PREVIOUS_SP: i64 = 1;
/// `ORC_REG_BP`: the frame pointer.
pub const BP: i64 = 4;
/// `ORC_REG_SP`: the stack pointer.
pub const SP: i64 = 5;

impl Orc {
    /// The tables of the node's kernel, where it has them and tells where they are.
    pub fn of(target: &Target) -> Option<Self> {
        if target.arch != Arch::X86_64 {
            return None;
        }
        let [addresses, end, entries] = SYMBOLS.map(|name| target.kernel_symbols.get(name).copied().unwrap_or(0));
        let count = end.checked_sub(addresses)? / 4;
        let entry = Entry::of(target.btf.as_deref()?)?;
        (addresses != 0 && count != 0 && entries != 0).then_some(Self { addresses, count, entries, entry })
    }
}

impl Entry {
    fn of(btf: &Btf) -> Option<Self> {
        let ty = btf.find_struct("orc_entry")?;
        let size = u32::try_from(btf.size_of(ty)?).ok().filter(|size| *size <= 8)?;
        Self::from_bits(size, |name| Bits::of(btf, ty, name))
    }

    fn from_bits(size: u32, bits: impl Fn(&str) -> Option<Bits>) -> Option<Self> {
        let kinds = match bits("end") {
            Some(end) => Kinds { call: 0, registers: 1, end: End::Bit(end) },
            None => Kinds { call: 2, registers: 3, end: End::Kind(1) },
        };
        Some(Self {
            size,
            sp_offset: bits("sp_offset")?,
            bp_offset: bits("bp_offset")?,
            sp_register: bits("sp_reg")?,
            bp_register: bits("bp_reg")?,
            kind: bits("type")?,
            kinds,
        })
    }
}

impl Bits {
    fn of(btf: &Btf, ty: TypeId, name: &str) -> Option<Self> {
        let member = btf.member(ty, name)?;
        let count = match member.bit_width {
            Some(width) => u32::from(width),
            None => u32::try_from(btf.size_of(member.ty)?).ok()?.checked_mul(8)?,
        };
        (count > 0 && member.bit_offset + count <= 64).then_some(Self { first: member.bit_offset, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_does_not_tell_its_addresses_has_no_tables() {
        let mut target = Target::generic();
        assert_eq!(Orc::of(&target), None);
        // As /proc/kallsyms has it for those who may not see addresses.
        target.kernel_symbols = SYMBOLS.iter().map(|name| ((*name).to_owned(), 0)).collect();
        assert_eq!(Orc::of(&target), None);
    }

    #[test]
    fn the_end_of_stacks_is_told_by_a_bit_or_by_a_kind() {
        let (short, bits, whole) =
            (Bits { first: 0, count: 16 }, Bits { first: 32, count: 4 }, Some(Bits { first: 43, count: 1 }));
        let find = |with_end: bool| {
            move |name: &str| match name {
                "sp_offset" | "bp_offset" => Some(short),
                "end" => whole.filter(|_| with_end),
                _ => Some(bits),
            }
        };
        let old = Entry::from_bits(6, find(true)).map(|entry| entry.kinds);
        assert_eq!(old, Some(Kinds { call: 0, registers: 1, end: End::Bit(Bits { first: 43, count: 1 }) }));
        let new = Entry::from_bits(6, find(false)).map(|entry| entry.kinds);
        assert_eq!(new, Some(Kinds { call: 2, registers: 3, end: End::Kind(1) }));
    }
}
