//! What this kernel can do, asked by trial.
//!
//! A helper is there if the verifier complains about anything but its name; kprobes are there if the kernel lists their event
//! source; fentry if a program for it loads. Asked once per process: a running kernel does not change.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

use ::bpf::btf::Btf;
use ::bpf::helper::Helper;
use ::bpf::insn::{Insn, Reg, encode};
use ::bpf::map::MapType;
use ::bpf::program::{AttachType, ProgramType};
use lang::needs::Needs;
use lang::target::Features;

use crate::sys::link::Functions::{Both, Entries};
use crate::sys::link::{self, UserPlace};
use crate::sys::map;
use crate::sys::program::{self, Request};

/// What this kernel can do. Whether it has fentry can be told with its types only: it is "no" without them. Links for many places are tried
/// out only for a script that names some.
pub fn features(needs: &Needs, btf: Option<&Btf>) -> Features {
    tried(btf, !needs.functions.is_empty(), !needs.user.is_empty())
}

/// Everything this kernel can do, whatever a script needs.
pub fn everything(btf: Option<&Btf>) -> Features {
    tried(btf, true, true)
}

fn tried(btf: Option<&Btf>, functions: bool, user: bool) -> Features {
    static FEATURES: OnceLock<Features> = OnceLock::new();
    static FENTRY: OnceLock<bool> = OnceLock::new();
    static KPROBE_MULTI: OnceLock<bool> = OnceLock::new();
    static KPROBE_SESSION: OnceLock<bool> = OnceLock::new();
    static UPROBE_MULTI: OnceLock<bool> = OnceLock::new();
    let features = FEATURES.get_or_init(|| Features {
        kprobe: has_kprobes(),
        // Exists where the kernel runs 32-bit programs beside its own.
        compat_syscalls: Path::new("/proc/sys/abi/vsyscall32").exists() || cfg!(target_arch = "aarch64"),
        long_keys: has_long_keys(),
        task_btf: has_helper(Helper::GetCurrentTaskBtf),
        // Lockdown may forbid the second one.
        task_registers: has_helper(Helper::TaskPtRegs) && has_helper(Helper::ProbeReadKernel),
        bpf_loop: has_helper(Helper::Loop),
        percpu_lookup: has_helper(Helper::MapLookupPercpuElem),
        // The helper came with the same release as the allocator.
        map_alloc: has_helper(Helper::KtimeGetTaiNs),
        ..Features::default()
    });
    Features {
        fentry: btf.is_some_and(|btf| *FENTRY.get_or_init(|| has_fentry(btf))),
        kprobe_multi: functions && features.kprobe && *KPROBE_MULTI.get_or_init(has_kprobe_multi),
        kprobe_session: functions && features.kprobe && *KPROBE_SESSION.get_or_init(has_kprobe_session),
        uprobe_multi: user && *UPROBE_MULTI.get_or_init(has_uprobe_multi),
        ..*features
    }
}

/// Whether the kernel has kprobes: perf lists them as a source of events. Kernel 4.17.
pub fn has_kprobes() -> bool {
    Path::new("/sys/bus/event_source/devices/kprobe/type").exists()
}

/// Whether keys may be longer than the stack of a program is. Kernel 5.11.
fn has_long_keys() -> bool {
    let kind = MapType::Hash;
    let request = map::Request { name: "probe", kind, key_size: 520, value_size: 8, max_entries: 1, flags: 0 };
    map::Map::create(&request).is_ok()
}

/// Whether one link takes many kernel functions. Kernel 5.18, and built with fprobe.
fn has_kprobe_multi() -> bool {
    let program = nothing(ProgramType::Kprobe, AttachType::KprobeMulti, 0);
    program.is_some_and(|program| link::knows_kprobe_multi(program.as_fd(), Entries))
}

/// Whether one link takes functions' entries and returns. Kernel 6.10, and built with fprobe.
fn has_kprobe_session() -> bool {
    let program = nothing(ProgramType::Kprobe, AttachType::KprobeSession, 0);
    program.is_some_and(|program| link::knows_kprobe_multi(program.as_fd(), Both))
}

/// Whether one link takes many functions of a program. Kernel 6.6.
fn has_uprobe_multi() -> bool {
    let Some(program) = nothing(ProgramType::Kprobe, AttachType::UprobeMulti, 0) else { return false };
    // A kernel that knows such links refuses this one because of the path, which is no file.
    let place = UserPlace { offset: 0, semaphore: 0 };
    let refused = link::uprobe_multi(program.as_fd(), Path::new("/"), &[place], false, None);
    refused.is_err_and(|error| error.raw_os_error() == Some(libc::EBADF))
}

/// A function the kernel has for trials, since fentry exists.
const FOR_TRIALS: &str = "bpf_fentry_test1";

/// A program that does nothing, if the kernel takes it.
fn nothing(kind: ProgramType, attach: AttachType, type_id: u32) -> Option<OwnedFd> {
    let code = encode(&[Insn::mov(Reg(0), 0), Insn::exit()]);
    let request =
        Request { name: "probe", kind, code: &code, types: None, target: Some((attach, type_id)), owner: None };
    program::try_out(&request).ok()
}

/// Whether a program for a function's entry loads. Kernel 5.5; some lockdowns forbid it.
fn has_fentry(btf: &Btf) -> bool {
    let function = btf.find_func(FOR_TRIALS);
    function.is_some_and(|function| nothing(ProgramType::Tracing, AttachType::TraceFentry, function.0).is_some())
}

/// Whether a program for an iterator over tasks loads. Kernel 5.8.
pub fn has_iterators(btf: &Btf) -> bool {
    let function = btf.find_func("bpf_iter_task");
    function.is_some_and(|function| nothing(ProgramType::Tracing, AttachType::TraceIter, function.0).is_some())
}

/// Functions of the kernel by their names, each with the kinds of program that may call it. Kernel 5.18 for any kind of ours.
pub fn callable(names: &BTreeSet<String>, btf: Option<&Btf>) -> BTreeMap<String, Vec<ProgramType>> {
    let Some(btf) = btf else { return BTreeMap::new() };
    let kinds = |name: &String| {
        let (source, function) = btf.origin(btf.find_func(name)?);
        let may = |kind: &ProgramType| source == 0 && may_call(*kind, function.0, name, btf);
        Some((name.clone(), KINDS.into_iter().filter(may).collect()))
    };
    names.iter().filter_map(kinds).collect()
}

/// The kinds of program that scripts become.
const KINDS: [ProgramType; 5] = [
    ProgramType::Kprobe,
    ProgramType::Tracepoint,
    ProgramType::PerfEvent,
    ProgramType::RawTracepoint,
    ProgramType::Tracing,
];

/// Whether the verifier lets programs of a kind call a function: it looks at that before it looks at the arguments.
fn may_call(kind: ProgramType, function: u32, name: &str, btf: &Btf) -> bool {
    let code = encode(&[Insn::mov(Reg(0), 0), Insn::call_kernel(function), Insn::exit()]);
    let iterator = || btf.find_func("bpf_iter_task").map(|of| (AttachType::TraceIter, btf.origin(of).1.0));
    let target = if kind == ProgramType::Tracing { iterator() } else { None };
    let request = Request { name: "probe", kind, code: &code, types: None, target, owner: None };
    match program::try_out(&request) {
        Ok(_) => true,
        Err(refused) => {
            let refusals = [format!("calling kernel function {name} is not allowed"), "unknown opcode".to_owned()];
            refused.log.contains(name) && !refusals.iter().any(|words| refused.log.contains(words))
        }
    }
}

/// Whether tracing programs may call `helper`. False also where this process may not load programs at all.
pub fn has_helper(helper: Helper) -> bool {
    let code = encode(&[Insn::call(helper), Insn::exit()]);
    let kind = ProgramType::RawTracepoint;
    let request = Request { name: "probe", kind, code: &code, types: None, target: None, owner: None };
    match program::try_out(&request) {
        Ok(_) => true,
        // The verifier knows the helper when it goes on to look at its arguments or its result.
        Err(refused) => {
            let unknown = ["invalid func", "unknown func", "cannot use helper"];
            !refused.log.is_empty() && !unknown.iter().any(|words| refused.log.contains(words))
        }
    }
}
