//! Everything the compiler must know about one node, as data.
//!
//! The agent gathers what a script [needs](crate::needs), the compiler only reads it. `Target::generic` stands for "some node":
//! unknown kernel types, tracepoints and functions are not errors there.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One node.
#[derive(Clone, Debug)]
pub struct Target {
    /// Register and calling conventions.
    pub arch: Arch,
    /// What the kernel can do; asked by trial, never taken from the version.
    pub features: Features,
    /// Whether everything a script names must exist here; false for [`Target::generic`].
    pub complete: bool,
    /// The kernel's types, where the kernel has them and the script needs them.
    pub btf: Option<Arc<bpf::btf::Btf>>,
    /// Tracepoints that match what the script names, by `category:event`. The format is absent where the script reads no field.
    pub tracepoints: BTreeMap<String, Option<TracepointFormat>>,
    /// Kernel functions that match what the script names and can be probed; the module is `None` for vmlinux.
    pub functions: BTreeMap<String, Option<String>>,
    /// Addresses of kernel symbols the script names (`kaddr`).
    pub kernel_symbols: BTreeMap<String, u64>,
    /// Possible CPUs; per-CPU scratch is sized by it.
    pub cpus: u32,
}

/// An instruction set with its calling convention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arch {
    /// x86-64
    #[default]
    X86_64,
    /// aarch64
    Aarch64,
}

/// What a kernel can do beyond the oldest one supported (5.8: ring buffer).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// kprobe and kretprobe.
    pub kprobe: bool,
    /// fentry and fexit; 5.5, absent under some lockdowns.
    pub fentry: bool,
    /// Direct loads from `bpf_get_current_task_btf`; 5.11.
    pub task_btf: bool,
    /// `bpf_loop`; 5.17.
    pub bpf_loop: bool,
    /// `bpf_map_lookup_percpu_elem`: reading what other CPUs have counted; 5.19.
    pub percpu_lookup: bool,
    /// Hash maps whose elements are allocated when they are added, in any context, from caches made for it; 6.1.
    pub map_alloc: bool,
}

impl Features {
    /// What a kernel of our days can do.
    pub fn all() -> Self {
        Self { kprobe: true, fentry: true, task_btf: true, bpf_loop: true, percpu_lookup: true, map_alloc: true }
    }
}

/// A tracepoint's record, as its `format` file describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TracepointFormat {
    /// The id `perf_event_open` wants.
    pub id: u32,
    /// The fields after the common ones, in order.
    pub fields: Vec<TracepointField>,
}

/// One field of a tracepoint's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracepointField {
    /// Its name.
    pub name: String,
    /// Its C type as written, without the name: `const char *`, `char[16]`, `__data_loc char[]`.
    pub ty: String,
    /// Bytes from the start of the record.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// Whether integers of it are signed.
    pub signed: bool,
}

impl Target {
    /// Some node of which nothing is known: it can do everything, and what a script names may exist there.
    pub fn generic() -> Self {
        Self {
            arch: Arch::default(),
            features: Features::all(),
            complete: false,
            btf: None,
            tracepoints: BTreeMap::new(),
            functions: BTreeMap::new(),
            kernel_symbols: BTreeMap::new(),
            cpus: 1,
        }
    }
}
