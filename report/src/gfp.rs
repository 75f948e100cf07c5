//! Flags of page allocations by their names: include/linux/gfp_types.h of Linux 6.9 and later.

/// Each flag, at the bit it is.
const FLAGS: [&str; 24] = [
    "GFP_DMA",
    "__GFP_HIGHMEM",
    "GFP_DMA32",
    "__GFP_MOVABLE",
    "__GFP_RECLAIMABLE",
    "__GFP_HIGH",
    "__GFP_IO",
    "__GFP_FS",
    "__GFP_ZERO",
    "",
    "__GFP_DIRECT_RECLAIM",
    "__GFP_KSWAPD_RECLAIM",
    "__GFP_WRITE",
    "__GFP_NOWARN",
    "__GFP_RETRY_MAYFAIL",
    "__GFP_NOFAIL",
    "__GFP_NORETRY",
    "__GFP_MEMALLOC",
    "__GFP_COMP",
    "__GFP_NOMEMALLOC",
    "__GFP_HARDWALL",
    "__GFP_THISNODE",
    "__GFP_ACCOUNT",
    "__GFP_ZEROTAGS",
];

const HIGHMEM: u64 = 1 << 1;
const MOVABLE: u64 = 1 << 3;
const HIGH: u64 = 1 << 5;
const IO: u64 = 1 << 6;
const FS: u64 = 1 << 7;
const DIRECT_RECLAIM: u64 = 1 << 10;
const KSWAPD_RECLAIM: u64 = 1 << 11;
const NOWARN: u64 = 1 << 13;
const COMP: u64 = 1 << 18;
const NOMEMALLOC: u64 = 1 << 19;
const HARDWALL: u64 = 1 << 20;
const ACCOUNT: u64 = 1 << 22;

const NOIO: u64 = DIRECT_RECLAIM | KSWAPD_RECLAIM;
const KERNEL: u64 = NOIO | IO | FS;
const USER: u64 = KERNEL | HARDWALL;
const HIGHUSER_MOVABLE: u64 = USER | HIGHMEM | MOVABLE;
const TRANSHUGE_LIGHT: u64 = (HIGHUSER_MOVABLE | COMP | NOMEMALLOC | NOWARN) & !NOIO;

/// Names of several flags together; what holds more of them comes first.
const TOGETHER: [(u64, &str); 11] = [
    (TRANSHUGE_LIGHT | DIRECT_RECLAIM, "GFP_TRANSHUGE"),
    (TRANSHUGE_LIGHT, "GFP_TRANSHUGE_LIGHT"),
    (HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE"),
    (USER | HIGHMEM, "GFP_HIGHUSER"),
    (USER, "GFP_USER"),
    (KERNEL | ACCOUNT, "GFP_KERNEL_ACCOUNT"),
    (KERNEL, "GFP_KERNEL"),
    (NOIO | IO, "GFP_NOFS"),
    (HIGH | KSWAPD_RECLAIM, "GFP_ATOMIC"),
    (NOIO, "GFP_NOIO"),
    (KSWAPD_RECLAIM, "GFP_NOWAIT"),
];

/// The names of flags, joined by `|`; what has none is a number at the end.
pub fn names(flags: u64) -> String {
    let single = (0u32..).zip(FLAGS).filter(|(_, name)| !name.is_empty()).map(|(bit, name)| (1u64 << bit, name));
    let mut left = flags;
    let mut names = Vec::new();
    for (mask, name) in TOGETHER.into_iter().chain(single) {
        if left & mask == mask {
            names.push(name.to_owned());
            left &= !mask;
        }
    }
    if left != 0 || names.is_empty() {
        names.push(if left == 0 { "0".to_owned() } else { format!("{left:#x}") });
    }
    names.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_have_a_name_together_are_told_by_it() {
        assert_eq!(names(KERNEL | ACCOUNT | 1 << 8), "GFP_KERNEL_ACCOUNT|__GFP_ZERO");
        assert_eq!(names(KERNEL), "GFP_KERNEL");
        assert_eq!(names(NOIO), "GFP_NOIO");
    }

    #[test]
    fn what_has_no_name_is_a_number() {
        assert_eq!((names(0), names(1 << 40 | 1)), ("0".to_owned(), "GFP_DMA|0x10000000000".to_owned()));
    }
}
