//! `--info`: what this kernel can do, in bpftrace's words, so that whoever reads those finds them.
//!
//! Helpers any tracing program may call are asked by trial; what only some kinds of programs may use is there if the kernel's
//! types name its implementation.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use ::bpf::btf::Btf;
use ::bpf::helper::Helper;

use crate::target::{self, features};

/// The report; `version` is whose.
pub fn report(version: &str) -> String {
    let btf = target::kernel_types().ok().flatten();
    let btf = btf.as_deref();
    let mut text = String::new();
    section(&mut text, "System", &system());
    let build = [
        ("version", version.to_owned()),
        ("LLVM", yes(false)),
        ("libdw (DWARF support)", yes(true)),
        ("blazesym (advanced symbolization)", yes(true)),
        ("dwunwind (DWARF stack unwinding)", yes(false)),
    ];
    section(&mut text, "Build", &build);
    section(&mut text, "Kernel helpers", &helpers(btf));
    let has_module_types = fs::read_dir("/sys/kernel/btf").is_ok_and(|entries| entries.count() > 1);
    section(&mut text, "Kernel features", &[("btf", yes(btf.is_some())), ("module btf", yes(has_module_types))]);
    section(&mut text, "Probe types", &probe_types(btf));
    text
}

type Line = (&'static str, String);

fn section(text: &mut String, title: &str, lines: &[Line]) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(title);
    text.push('\n');
    for (name, value) in lines {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {name}: {value}");
    }
}

fn system() -> [Line; 2] {
    let kernel = |name: &str| fs::read_to_string(Path::new("/proc/sys/kernel").join(name)).unwrap_or_default();
    let os = ["ostype", "osrelease", "version"].map(|name| kernel(name).trim().to_owned()).join(" ");
    [("OS", os), ("Arch", std::env::consts::ARCH.to_owned())]
}

fn helpers(btf: Option<&Btf>) -> Vec<Line> {
    let asked = [
        ("probe_read_kernel", Helper::ProbeReadKernel),
        ("send_signal", Helper::SendSignal),
        ("get_tai_ns", Helper::KtimeGetTaiNs),
        ("jiffies64", Helper::Jiffies64),
        ("lookup_percpu_elem", Helper::MapLookupPercpuElem),
        ("Loop support", Helper::Loop),
    ];
    let named =
        [("dpath", "bpf_d_path"), ("get_func_ip", "bpf_get_func_ip_tracing"), ("skboutput", "bpf_skb_event_output")];
    let asked = asked.map(|(name, helper)| (name, yes(features::has_helper(helper))));
    let named = named.map(|(name, function)| (name, yes(has_function(btf, function))));
    asked.into_iter().chain(named).collect()
}

fn probe_types(btf: Option<&Btf>) -> Vec<Line> {
    let features = features::everything(btf);
    vec![
        ("kprobe", yes(features.kprobe)),
        ("fentry", yes(features.fentry)),
        ("kprobe_multi", yes(features.kprobe_multi)),
        ("kprobe_session", yes(features.kprobe_multi && has_function(btf, "bpf_session_is_return"))),
        ("uprobe_multi", yes(features.uprobe_multi)),
        ("iter", yes(btf.is_some_and(features::has_iterators))),
    ]
}

fn has_function(btf: Option<&Btf>, name: &str) -> bool {
    btf.is_some_and(|btf| btf.find_func(name).is_some())
}

fn yes(has: bool) -> String {
    if has { "yes" } else { "no" }.to_owned()
}
