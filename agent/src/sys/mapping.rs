//! Files mapped instead of read: the kernel's own types, some 5 MB that stay the kernel's memory, and programs' debug information, of
//! which a few pages of hundreds of megabytes are looked at.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;

use super::cut_off;

/// Where the kernel shows its types.
pub const KERNEL_TYPES: &str = "/sys/kernel/btf/vmlinux";

/// A file's bytes, as long as this lives. Of a file that is cut short meanwhile what was cut off reads as zeroes.
#[derive(Debug)]
pub struct Mapping {
    start: *mut libc::c_void,
    length: usize,
}

// SAFETY: the memory is only read, and whoever holds it keeps it mapped.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps a whole file.
    ///
    /// # Errors
    /// Where the kernel refuses, as it does for an empty file and for one of its own that cannot be mapped.
    pub fn of(file: &File) -> io::Result<Self> {
        cut_off::read_as_zeroes();
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        // SAFETY: a new private mapping of `length` bytes at an address the kernel chooses.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
        };
        if start == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Self { start, length }) }
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping is `length` bytes long and unmapped with `self`.
        unsafe { std::slice::from_raw_parts(self.start.cast::<u8>(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody borrows from it any more.
        unsafe { libc::munmap(self.start, self.length) };
    }
}

/// The bytes of [`KERNEL_TYPES`], mapped once and for good; `None` where the kernel does not map them (before 6.16) or has none.
pub fn kernel_types() -> Option<&'static [u8]> {
    static TYPES: OnceLock<Option<Mapping>> = OnceLock::new();
    TYPES.get_or_init(|| Mapping::of(&File::open(KERNEL_TYPES).ok()?).ok()).as_deref()
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

    #[test]
    fn what_is_cut_off_a_mapped_file_reads_as_zeroes() {
        let mut file = tempfile::tempfile().expect("a file");
        std::io::Write::write_all(&mut file, &[7; 3 << 12]).expect("three pages");
        let mapping = Mapping::of(&file).expect("its mapping");
        assert_eq!(mapping.last(), Some(&7));
        file.set_len(5).expect("a shorter file");
        assert_eq!(mapping.iter().map(|byte| usize::from(*byte)).sum::<usize>(), 5 * 7);
    }

    #[test]
    fn a_file_is_mapped_whole_and_an_empty_one_not_at_all() {
        let own = std::env::current_exe().expect("this program");
        let mapping = Mapping::of(&File::open(&own).expect("this program")).expect("its mapping");
        assert_eq!(mapping.len() as u64, own.metadata().expect("its size").len());
        assert_eq!(mapping.get(..4), Some(b"\x7fELF".as_slice()));
        assert!(Mapping::of(&tempfile::tempfile().expect("a file")).is_err());
    }
}
