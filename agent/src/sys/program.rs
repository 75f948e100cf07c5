//! Loading programs and running them by hand.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use aya_obj::generated::bpf_cmd;
use bpf::btf::functions;
use bpf::program::{AttachType, ProgramType};

use super::bpf::{address, address_mut, attr, call};

/// The licence a program declares: most helpers a tracing program calls demand this one.
const LICENSE: &CStr = c"GPL";

/// The first size of the verifier's log and the largest it is grown to, in bytes. The largest is the kernel's own limit
/// before 5.2 (`bpf_verifier_log`: UINT_MAX >> 8).
const LOG_SIZES: [usize; 3] = [1 << 16, 1 << 20, (1 << 24) - 1];
/// The log of a program of a few instructions, in bytes.
const TRIAL_LOG_SIZE: usize = 1 << 12;

/// A program to load.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What the program is called. Of what does not fit 15 bytes only its types tell the rest.
    pub name: &'a str,
    /// What kind of program it is.
    pub kind: ProgramType,
    /// Eight bytes an instruction, map addresses filled in.
    pub code: &'a [u8],
    /// The types of its functions. A program without them cannot have its functions called back.
    pub types: Option<Types<'a>>,
    /// How it attaches where its kind leaves that open, and for tracing programs the BTF type id of what it attaches to.
    pub target: Option<(AttachType, u32)>,
    /// What the id is a type of: a module's types, or another program (5.5). The kernel's own types where absent.
    pub owner: Option<BorrowedFd<'a>>,
}

/// The types of a program's functions. Kernel 5.0, and 5.13 where helpers call some of them back.
#[derive(Clone, Copy, Debug)]
pub struct Types<'a> {
    /// What [`load_types`] made.
    pub of: BorrowedFd<'a>,
    /// Which function starts where, as [`functions::function_info`] tells it.
    pub functions: &'a [u8],
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
    let first = match try_load(request, None) {
        Ok(fd) => return Ok(fd),
        Err(error) => error,
    };
    let mut log = Vec::new();
    for size in LOG_SIZES {
        log = vec![0; size];
        match try_load(request, Some(&mut log)) {
            Ok(fd) => return Ok(fd),
            Err(error) if error.raw_os_error() == Some(libc::ENOSPC) => {}
            Err(_) => break,
        }
    }
    Err(Refused { error: first, log: text(log) })
}

/// Loads a small program for the sake of the answer: the first words of the verifier are there at once where it is refused.
pub fn try_out(request: &Request<'_>) -> Result<OwnedFd, Refused> {
    let mut log = vec![0; TRIAL_LOG_SIZE];
    try_load(request, Some(&mut log)).map_err(|error| Refused { error, log: text(log) })
}

/// What the verifier wrote.
fn text(mut log: Vec<u8>) -> String {
    let end = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
    log.truncate(end);
    String::from_utf8_lossy(&log).into_owned()
}

/// Hands the kernel the types of a script's programs: their names, and what they call back.
///
/// Kernel 4.18.
pub fn load_types(blob: &[u8]) -> io::Result<OwnedFd> {
    let mut attr = attr();
    attr.__bindgen_anon_7.btf = address(blob);
    attr.__bindgen_anon_7.btf_size = blob.len() as u32;
    // SAFETY: the blob outlives the call and is as long as the block says.
    let fd = unsafe { call(bpf_cmd::BPF_BTF_LOAD, &mut attr) }?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn try_load(request: &Request<'_>, log: Option<&mut [u8]>) -> io::Result<OwnedFd> {
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
    if let Some(Types { of, functions: info }) = request.types {
        attr.__bindgen_anon_3.prog_btf_fd = of.as_raw_fd() as u32;
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
