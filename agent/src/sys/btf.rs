//! The types of modules as objects of the kernel: a program for a module's function names them by a descriptor.

use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use aya_obj::generated::{bpf_btf_info, bpf_cmd};

use super::bpf::{address_mut, attr, call, describe};

/// The types of the module called `name`; `None` where it has none or is not loaded.
///
/// Kernel 5.11.
pub fn of_module(name: &str) -> io::Result<Option<OwnedFd>> {
    let mut id = 0;
    loop {
        let mut next = attr();
        next.__bindgen_anon_6.__bindgen_anon_1.start_id = id;
        // SAFETY: this command reads and writes the block only.
        match unsafe { call(bpf_cmd::BPF_BTF_GET_NEXT_ID, &mut next) } {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        // SAFETY: the kernel wrote this variant of the union.
        id = unsafe { next.__bindgen_anon_6.next_id };
        match open(id) {
            Ok(types) if is_called(&types, name)? => return Ok(Some(types)),
            Ok(_) => {}
            // It was freed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

/// The types with this id.
///
/// Kernel 4.18.
pub(super) fn open(id: u32) -> io::Result<OwnedFd> {
    let mut attr = attr();
    attr.__bindgen_anon_6.__bindgen_anon_1.btf_id = id;
    // SAFETY: this command reads the block only.
    let fd = unsafe { call(bpf_cmd::BPF_BTF_GET_FD_BY_ID, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn is_called(types: &OwnedFd, name: &str) -> io::Result<bool> {
    let mut called = [0u8; 64];
    // SAFETY: the struct holds integers; all zero bytes are a value of each.
    let mut info: bpf_btf_info = unsafe { std::mem::zeroed() };
    info.name = address_mut(&mut called);
    info.name_len = called.len() as u32;
    // SAFETY: the name it points to outlives the call and is as long as it says.
    unsafe { describe(types.as_fd(), &mut info) }?;
    let end = called.iter().position(|byte| *byte == 0).unwrap_or(called.len());
    Ok(info.kernel_btf != 0 && called[..end] == *name.as_bytes())
}
