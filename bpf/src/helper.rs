//! Kernel helpers a program may call, numbered as in the kernel's `enum bpf_func_id`.

/// A helper, with the kernel it first appeared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Helper {
    /// 3.19
    MapLookupElem = 1,
    /// 3.19
    MapUpdateElem = 2,
    /// 3.19
    MapDeleteElem = 3,
    /// 4.1
    KtimeGetNs = 5,
    /// 4.1
    GetPrandomU32 = 7,
    /// 4.1
    GetSmpProcessorId = 8,
    /// 4.2
    GetCurrentPidTgid = 14,
    /// 4.2
    GetCurrentUidGid = 15,
    /// 4.2
    GetCurrentComm = 16,
    /// 4.6
    GetStackid = 27,
    /// 4.8
    GetCurrentTask = 35,
    /// 4.10
    GetNumaNodeId = 42,
    /// 4.18
    GetStack = 67,
    /// 4.18
    GetCurrentCgroupId = 80,
    /// 5.5
    ProbeReadUser = 112,
    /// 5.5
    ProbeReadKernel = 113,
    /// 5.5
    ProbeReadUserStr = 114,
    /// 5.5
    ProbeReadKernelStr = 115,
    /// 5.5
    Jiffies64 = 118,
    /// 5.7
    KtimeGetBootNs = 125,
    /// 5.8
    RingbufOutput = 130,
    /// 5.8
    RingbufReserve = 131,
    /// 5.8
    RingbufSubmit = 132,
    /// 5.8
    RingbufDiscard = 133,
    /// 5.11
    GetCurrentTaskBtf = 158,
    /// 5.11
    KtimeGetCoarseNs = 160,
    /// 5.13
    ForEachMapElem = 164,
    /// 5.15
    GetFuncIp = 173,
    /// 5.15
    GetAttachCookie = 174,
    /// 5.17
    Strncmp = 182,
    /// 5.17
    Loop = 181,
    /// 6.1
    KtimeGetTaiNs = 208,
}
