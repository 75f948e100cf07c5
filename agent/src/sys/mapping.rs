//! The kernel's own types, mapped instead of read: they stay the kernel's memory, some 5 MB that this process does not copy.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;

/// Where the kernel shows its types.
pub const KERNEL_TYPES: &str = "/sys/kernel/btf/vmlinux";

/// The bytes of [`KERNEL_TYPES`], mapped once and for good; `None` where the kernel does not map them (before 6.16) or has none.
pub fn kernel_types() -> Option<&'static [u8]> {
    static TYPES: OnceLock<Option<&'static [u8]>> = OnceLock::new();
    *TYPES.get_or_init(map)
}

fn map() -> Option<&'static [u8]> {
    let file = File::open(KERNEL_TYPES).ok()?;
    let length = usize::try_from(file.metadata().ok()?.len()).ok().filter(|length| *length > 0)?;
    // SAFETY: a new private mapping of `length` bytes at an address the kernel chooses.
    let start =
        unsafe { libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0) };
    if start == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the mapping is `length` bytes long and never unmapped; a running kernel does not change its types.
    Some(unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_is_what_is_read() {
        let Some(mapped) = kernel_types() else {
            println!("SKIP: this kernel does not map its types");
            return;
        };
        assert_eq!(std::fs::read(KERNEL_TYPES).expect("the kernel's types"), mapped);
    }
}
