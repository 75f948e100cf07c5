//! What this kernel can do, asked by trial.
//!
//! A helper is there if the verifier complains about anything but its name; kprobes are there if the kernel lists their event
//! source; fentry if a program for it loads. Asked once per process: a running kernel does not change.

use std::path::Path;
use std::sync::OnceLock;

use ::bpf::btf::Btf;
use ::bpf::helper::Helper;
use ::bpf::insn::{Insn, Reg, encode};
use ::bpf::program::{AttachType, ProgramType};
use lang::target::Features;

use crate::sys::program::{self, Request};

/// What this kernel can do. Whether it has fentry can be told with its types only: it is "no" without them.
pub fn features(btf: Option<&Btf>) -> Features {
    static FEATURES: OnceLock<Features> = OnceLock::new();
    static FENTRY: OnceLock<bool> = OnceLock::new();
    let features = FEATURES.get_or_init(|| Features {
        kprobe: Path::new("/sys/bus/event_source/devices/kprobe/type").exists(),
        task_btf: has_helper(Helper::GetCurrentTaskBtf),
        bpf_loop: has_helper(Helper::Loop),
        percpu_lookup: has_helper(Helper::MapLookupPercpuElem),
        // The helper came with the same release as the allocator.
        map_alloc: has_helper(Helper::KtimeGetTaiNs),
        ..Features::default()
    });
    let fentry = btf.is_some_and(|btf| *FENTRY.get_or_init(|| has_fentry(btf)));
    Features { fentry, ..*features }
}

/// Whether a program for a function's entry loads. Kernel 5.5; some lockdowns forbid it.
fn has_fentry(btf: &Btf) -> bool {
    // A function the kernel has for trials like this one, since fentry exists.
    let Some(function) = btf.find_func("bpf_fentry_test1") else { return false };
    let code = encode(&[Insn::mov(Reg(0), 0), Insn::exit()]);
    let target = Some((AttachType::TraceFentry, function.0));
    program::load(&Request { name: "probe", kind: ProgramType::Tracing, code: &code, target }).is_ok()
}

/// Whether tracing programs may call `helper`. False also where this process may not load programs at all.
pub fn has_helper(helper: Helper) -> bool {
    let code = encode(&[Insn::call(helper), Insn::exit()]);
    let request = Request { name: "probe", kind: ProgramType::RawTracepoint, code: &code, target: None };
    match program::load(&request) {
        Ok(_) => true,
        // The verifier knows the helper when it goes on to look at its arguments or its result.
        Err(refused) => {
            let unknown = ["invalid func", "unknown func", "cannot use helper"];
            !refused.log.is_empty() && !unknown.iter().any(|words| refused.log.contains(words))
        }
    }
}
