//! Loading programs and running them by hand.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use aya_obj::generated::bpf_cmd;
use bpf::btf::functions;
use bpf::program::{AttachType, ProgramType};

use super::bpf::{address, address_mut, attr, call};

/// The licence a program declares: most helpers a tracing program calls demand this one.
const LICENSE: &CStr = c"GPL";

/// The first size of the verifier's log and the largest it is grown to, in bytes. The largest is the kernel's own limit
/// before 5.2 (`bpf_verifier_log`: UINT_MAX >> 8).
const LOG_SIZES: [usize; 3] = [1 << 16, 1 << 20, (1 << 24) - 1];

/// A program to load.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What the program is called, a name in C. Of what does not fit 15 bytes only its types tell the rest.
    pub name: &'a str,
    /// What kind of program it is.
    pub kind: ProgramType,
    /// Eight bytes an instruction, map addresses filled in.
    pub code: &'a [u8],
    /// Where its functions start, if there are several: helpers call the others back. Kernel 5.13.
    pub functions: &'a [usize],
    /// How it attaches where its kind leaves that open, and for tracing programs the BTF type id of what it attaches to.
    pub target: Option<(AttachType, u32)>,
    /// What the id is a type of: a module's types, or another program (5.5). The kernel's own types where absent.
    pub owner: Option<BorrowedFd<'a>>,
}

/// Why a program was not loaded.
#[derive(Debug, thiserror::Error)]
#[error("the kernel refused the program: {error}")]
pub struct Refused {
    /// What bpf(2) returned.
    pub error: io::Error,
    /// What the verifier wrote; empty where the program never reached it.
    pub log: String,
}

/// Loads a program. The verifier writes its log only for a program that was refused: writing it makes loading slower.
///
/// Kernel 3.18; each kind has its own first kernel, see [`ProgramType`].
pub fn load(request: &Request<'_>) -> Result<OwnedFd, Refused> {
    let types = match (load_types(request.name), request.functions) {
        (Ok(types), starts @ [_, ..]) => Some((types, functions::function_info(starts))),
        (Err(error), [_, _, ..]) => return Err(Refused { error, log: String::new() }),
        // A program of one function is loaded without as well.
        _ => None,
    };
    let types = types.as_ref().map(|(fd, info)| (fd.as_fd(), info.as_slice()));
    let first = match try_load(request, types, None) {
        Ok(fd) => return Ok(fd),
        Err(error) => error,
    };
    let mut log = Vec::new();
    for size in LOG_SIZES {
        log = vec![0; size];
        match try_load(request, types, Some(&mut log)) {
            Ok(fd) => return Ok(fd),
            Err(error) if error.raw_os_error() == Some(libc::ENOSPC) => {}
            Err(_) => break,
        }
    }
    let end = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
    log.truncate(end);
    Err(Refused { error: first, log: String::from_utf8_lossy(&log).into_owned() })
}

/// Hands the kernel the types of a program: its name, and what it calls back.
fn load_types(name: &str) -> io::Result<OwnedFd> {
    let blob = functions::of_functions(name);
    let mut attr = attr();
    attr.__bindgen_anon_7.btf = address(&blob);
    attr.__bindgen_anon_7.btf_size = blob.len() as u32;
    // SAFETY: the blob outlives the call and is as long as the block says.
    let fd = unsafe { call(bpf_cmd::BPF_BTF_LOAD, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn try_load(
    request: &Request<'_>,
    types: Option<(BorrowedFd<'_>, &[u8])>,
    log: Option<&mut [u8]>,
) -> io::Result<OwnedFd> {
    let mut attr = attr();
    attr.__bindgen_anon_3.prog_type = request.kind as u32;
    attr.__bindgen_anon_3.insn_cnt = (request.code.len() / 8) as u32;
    attr.__bindgen_anon_3.insns = address(request.code);
    attr.__bindgen_anon_3.license = LICENSE.as_ptr() as u64;
    attr.__bindgen_anon_3.prog_name = object_name(request.name);
    if let Some((attach, btf_id)) = request.target {
        attr.__bindgen_anon_3.expected_attach_type = attach as u32;
        attr.__bindgen_anon_3.attach_btf_id = btf_id;
        attr.__bindgen_anon_3.__bindgen_anon_1.attach_btf_obj_fd =
            request.owner.map_or(0, |owner| owner.as_raw_fd() as u32);
    }
    if let Some((types, info)) = types {
        attr.__bindgen_anon_3.prog_btf_fd = types.as_raw_fd() as u32;
        attr.__bindgen_anon_3.func_info_rec_size = functions::FUNCTION_INFO as u32;
        attr.__bindgen_anon_3.func_info = address(info);
        attr.__bindgen_anon_3.func_info_cnt = (info.len() / functions::FUNCTION_INFO) as u32;
    }
    if let Some(log) = log {
        attr.__bindgen_anon_3.log_level = 1;
        attr.__bindgen_anon_3.log_size = log.len() as u32;
        attr.__bindgen_anon_3.log_buf = address_mut(log);
    }
    // SAFETY: the code, the licence, what is said of functions and the log outlive the call and are as long as the block says.
    let fd = unsafe { call(bpf_cmd::BPF_PROG_LOAD, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// The kernel keeps 15 bytes and a NUL.
fn object_name(name: &str) -> [libc::c_char; 16] {
    let mut object_name = [0; 16];
    for (to, from) in object_name.iter_mut().take(15).zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    object_name
}

/// Runs a raw tracepoint program once, in the context of this process and without arguments, and returns its result.
///
/// Kernel 5.10.
pub fn run_raw_tracepoint(program: BorrowedFd<'_>) -> io::Result<u32> {
    let mut attr = attr();
    attr.test.prog_fd = program.as_raw_fd() as u32;
    // SAFETY: a run without context and data reads no memory of ours.
    unsafe { call(bpf_cmd::BPF_PROG_TEST_RUN, &mut attr) }?;
    // SAFETY: the kernel wrote this variant of the union.
    Ok(unsafe { attr.test.retval })
}
