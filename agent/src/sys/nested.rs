//! Maps that hold maps: arrays whose length is known only when they are filled, found by programs in an array or a hash map.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use aya::maps::{MapData, MapError};
use aya_obj::generated::bpf_cmd;
use bpf::map::{INNER_MAP, MMAPABLE, MapType};

use super::bpf::{attr, call};
use super::map::{Map, Request};

/// Bytes of an array's key.
const KEY: u32 = 4;

/// Creates a map whose values are arrays of values of so many bytes, as [`array`] makes them.
///
/// Kernel 5.10.
pub fn create(request: &Request<'_>, inner_value_size: u32) -> Result<Map, MapError> {
    let inner = new_array(inner_value_size, 1).map_err(MapError::IoError)?;
    let Request { name, kind, key_size, value_size, max_entries, flags } = *request;
    let mut attr = attr();
    // SAFETY: these fields are integers and arrays of integers, and no other variant is used.
    let fields = unsafe { &mut attr.__bindgen_anon_1 };
    fields.map_type = kind as u32;
    fields.key_size = key_size;
    fields.value_size = value_size;
    fields.max_entries = max_entries;
    fields.map_flags = flags;
    fields.inner_map_fd = inner.as_raw_fd() as u32;
    // The last byte stays NUL.
    for (to, from) in fields.map_name.iter_mut().take(15).zip(name.bytes()) {
        *to = from.cast_signed();
    }
    // SAFETY: this command reads no address here; the inner map lives until it returns.
    let created = unsafe { call(bpf_cmd::BPF_MAP_CREATE, &mut attr) };
    let fd = created.map_err(|io_error| MapError::CreateError { name: name.to_owned(), io_error })?;
    // SAFETY: the kernel just made this descriptor for us.
    let data = MapData::from_fd(unsafe { OwnedFd::from_raw_fd(fd as i32) })?;
    Ok(Map::of(data, key_size, value_size))
}

/// An array of values of so many bytes that holds these words, to be put into a map of arrays. It lives as long as it is in one.
///
/// # Errors
/// Where the kernel has no memory for it, or the words are no whole values.
pub fn array(words: &[u64], value_size: u32) -> io::Result<OwnedFd> {
    let bytes = size_of_val(words);
    let count = bytes.checked_div(value_size as usize).and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
    if !value_size.is_multiple_of(8) || count == 0 || count as usize * value_size as usize != bytes {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let array = new_array(value_size, count)?;
    // SAFETY: a new mapping of the array's values, at an address the kernel chooses.
    let start = unsafe {
        let (access, fd) = (libc::PROT_READ | libc::PROT_WRITE, array.as_fd().as_raw_fd());
        libc::mmap(std::ptr::null_mut(), bytes, access, libc::MAP_SHARED, fd, 0)
    };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping has room for all words and is nobody else's; it is gone after this.
    unsafe {
        std::ptr::copy_nonoverlapping(words.as_ptr(), start.cast::<u64>(), words.len());
        libc::munmap(start, bytes);
    }
    Ok(array)
}

fn new_array(value_size: u32, count: u32) -> io::Result<OwnedFd> {
    let mut attr = attr();
    // SAFETY: these fields are integers, and no other variant is used.
    let fields = unsafe { &mut attr.__bindgen_anon_1 };
    fields.map_type = MapType::Array as u32;
    fields.key_size = KEY;
    fields.value_size = value_size;
    fields.max_entries = count;
    fields.map_flags = INNER_MAP | MMAPABLE;
    // SAFETY: this command reads no address here.
    let fd = unsafe { call(bpf_cmd::BPF_MAP_CREATE, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_has_whole_values() {
        for (words, value_size) in [(&[][..], 8), (&[1, 2, 3][..], 16), (&[1][..], 12)] {
            assert_eq!(array(words, value_size).map_err(|e| e.kind()).err(), Some(io::ErrorKind::InvalidInput));
        }
    }
}
