//! Kinds of BPF maps, numbered as in the kernel's `enum bpf_map_type`.

/// A kind of map, with the kernel it first appeared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum MapType {
    /// 3.19
    Hash = 1,
    /// 3.19
    Array = 2,
    /// 4.3
    PerfEventArray = 4,
    /// 4.6
    PercpuHash = 5,
    /// 4.6
    PercpuArray = 6,
    /// 4.10
    LruHash = 9,
    /// 4.10
    LruPercpuHash = 10,
    /// 4.12; of arrays that differ in length, 5.10.
    ArrayOfMaps = 12,
    /// 4.12; of arrays that differ in length, 5.10.
    HashOfMaps = 13,
    /// 5.8
    RingBuf = 27,
}

/// `BPF_F_NO_PREALLOC` for hash maps: elements are allocated when they are added.
pub const NO_PREALLOC: u32 = 1;
/// `BPF_F_RDONLY_PROG` (5.2): programs may only read.
pub const RDONLY_PROG: u32 = 1 << 7;
/// `BPF_F_INNER_MAP` (5.10) for arrays that a map of maps holds: they may differ in length.
pub const INNER_MAP: u32 = 1 << 12;
/// `BPF_F_MMAPABLE` (5.5) for arrays.
pub const MMAPABLE: u32 = 1 << 10;
