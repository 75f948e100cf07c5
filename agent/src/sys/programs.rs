//! The programs that are loaded into the kernel, whoever loaded them, and the types they were loaded with.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use aya_obj::generated::{bpf_btf_info, bpf_cmd, bpf_func_info, bpf_prog_info};

use super::bpf::{address_mut, attr, call, describe};

/// The ids of all programs, in their order.
///
/// Kernel 4.13.
pub fn ids() -> io::Result<Vec<u32>> {
    let mut ids = Vec::new();
    loop {
        let mut next = attr();
        next.__bindgen_anon_6.__bindgen_anon_1.start_id = ids.last().copied().unwrap_or(0);
        // SAFETY: this command reads and writes the block only.
        match unsafe { call(bpf_cmd::BPF_PROG_GET_NEXT_ID, &mut next) } {
            // SAFETY: the kernel wrote this variant of the union.
            Ok(_) => ids.push(unsafe { next.__bindgen_anon_6.next_id }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ids),
            Err(error) => return Err(error),
        }
    }
}

/// The program with this id.
///
/// Kernel 4.13.
pub fn open(id: u32) -> io::Result<OwnedFd> {
    let mut attr = attr();
    attr.__bindgen_anon_6.__bindgen_anon_1.prog_id = id;
    // SAFETY: this command reads the block only.
    let fd = unsafe { call(bpf_cmd::BPF_PROG_GET_FD_BY_ID, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// The id of a program.
///
/// Kernel 4.13.
pub fn id(program: BorrowedFd<'_>) -> io::Result<u32> {
    // SAFETY: the struct holds integers; all zero bytes are a value of each.
    let mut info: bpf_prog_info = unsafe { std::mem::zeroed() };
    // SAFETY: without addresses in it, the kernel writes this block only.
    unsafe { describe(program, &mut info) }?;
    Ok(info.id)
}

/// The functions of a program and where their types are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Functions {
    /// The id of the program's types; 0 where it was loaded without.
    pub types: u32,
    /// The number of each function's type there, the program itself first.
    pub functions: Vec<u32>,
}

/// What a program's functions are.
///
/// Kernel 5.0.
pub fn functions(program: BorrowedFd<'_>) -> io::Result<Functions> {
    // SAFETY: the struct holds integers; all zero bytes are a value of each.
    let mut info: bpf_prog_info = unsafe { std::mem::zeroed() };
    // SAFETY: without addresses in it, the kernel writes this block only.
    unsafe { describe(program, &mut info) }?;
    let (types, count) = (info.btf_id, info.nr_func_info);
    if types == 0 || count == 0 || info.func_info_rec_size as usize != size_of::<bpf_func_info>() {
        return Ok(Functions { types: 0, functions: Vec::new() });
    }
    // SAFETY: as above.
    info = unsafe { std::mem::zeroed() };
    let mut records = vec![bpf_func_info { insn_off: 0, type_id: 0 }; count as usize];
    info.nr_func_info = count;
    info.func_info_rec_size = size_of::<bpf_func_info>() as u32;
    info.func_info = records.as_mut_ptr() as u64;
    // SAFETY: the kernel writes as many records as the block says, and there are as many.
    unsafe { describe(program, &mut info) }?;
    Ok(Functions { types, functions: records.iter().map(|record| record.type_id).collect() })
}

/// The blob of the types with this id.
///
/// Kernel 4.18.
pub fn types(id: u32) -> io::Result<Vec<u8>> {
    let fd = super::btf::open(id)?;
    let mut blob = Vec::new();
    // First the size is asked for, then the blob itself.
    for _ in 0..2 {
        // SAFETY: the struct holds integers; all zero bytes are a value of each.
        let mut info: bpf_btf_info = unsafe { std::mem::zeroed() };
        info.btf = address_mut(&mut blob);
        info.btf_size = blob.len() as u32;
        // SAFETY: the blob it points to outlives the call and is as long as it says.
        unsafe { describe(fd.as_fd(), &mut info) }?;
        blob.resize(info.btf_size as usize, 0);
    }
    Ok(blob)
}
