//! Kinds of BPF programs and attachments, numbered as in the kernel's `enum bpf_prog_type` and `enum bpf_attach_type`.

/// A kind of program, with the kernel it first appeared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ProgramType {
    /// kprobe, kretprobe, uprobe, uretprobe; 4.1
    Kprobe = 2,
    /// 4.7
    Tracepoint = 5,
    /// 4.9
    PerfEvent = 7,
    /// 4.17
    RawTracepoint = 17,
    /// tp_btf, fentry, fexit, iter; 5.5
    Tracing = 26,
}

/// How a program attaches, where its [`ProgramType`] leaves that open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum AttachType {
    /// tp_btf; 5.5
    TraceRawTp = 23,
    /// 5.5
    TraceFentry = 24,
    /// 5.5
    TraceFexit = 25,
    /// 5.8
    TraceIter = 28,
    /// Many kernel functions with one link; 5.18
    KprobeMulti = 42,
    /// Many functions of a program or library with one link; 6.6
    UprobeMulti = 48,
    /// Many kernel functions with one link, each at its entry and at its return; 6.10
    KprobeSession = 56,
}
