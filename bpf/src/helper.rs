//! Kernel helpers a program may call, numbered as in the kernel's `enum bpf_func_id`.
//!
//! Source of names, numbers and arguments: include/uapi/linux/bpf.h; of the kernels: the commits that added them.

/// A kernel version, major and minor.
pub type Kernel = (u8, u8);

macro_rules! helpers {
    ($($variant:ident = $id:literal, $name:literal, $args:literal, $kernel:expr;)*) => {
        /// A helper that programs may call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum Helper {
            $(#[doc = concat!("`bpf_", $name, "`, with ", stringify!($args), " arguments; kernel ", stringify!($kernel))]
            $variant = $id,)*
        }

        /// Every helper, in the order of their numbers.
        pub const HELPERS: &[Helper] = &[$(Helper::$variant,)*];

        impl Helper {
            /// Its name, without `bpf_`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Helper::$variant => $name,)*
                }
            }

            /// How many arguments it takes.
            pub fn arg_count(self) -> usize {
                match self {
                    $(Helper::$variant => $args,)*
                }
            }

            /// The first kernel that has it.
            pub fn minimum_kernel(self) -> Kernel {
                match self {
                    $(Helper::$variant => $kernel,)*
                }
            }
        }
    };
}

helpers! {
    MapLookupElem = 1, "map_lookup_elem", 2, (3, 19);
    MapUpdateElem = 2, "map_update_elem", 4, (3, 19);
    MapDeleteElem = 3, "map_delete_elem", 2, (3, 19);
    KtimeGetNs = 5, "ktime_get_ns", 0, (4, 1);
    TracePrintk = 6, "trace_printk", 5, (4, 1);
    GetPrandomU32 = 7, "get_prandom_u32", 0, (4, 1);
    GetSmpProcessorId = 8, "get_smp_processor_id", 0, (4, 1);
    GetCurrentPidTgid = 14, "get_current_pid_tgid", 0, (4, 2);
    GetCurrentUidGid = 15, "get_current_uid_gid", 0, (4, 2);
    GetCurrentComm = 16, "get_current_comm", 2, (4, 2);
    GetCurrentTask = 35, "get_current_task", 0, (4, 8);
    ProbeWriteUser = 36, "probe_write_user", 3, (4, 8);
    GetNumaNodeId = 42, "get_numa_node_id", 0, (4, 10);
    GetSocketCookie = 46, "get_socket_cookie", 1, (4, 12);
    PerfEventReadValue = 55, "perf_event_read_value", 4, (4, 15);
    OverrideReturn = 58, "override_return", 2, (4, 16);
    GetStack = 67, "get_stack", 4, (4, 18);
    GetCurrentCgroupId = 80, "get_current_cgroup_id", 0, (4, 18);
    SendSignal = 109, "send_signal", 1, (5, 3);
    SkbOutput = 111, "skb_output", 5, (5, 5);
    ProbeReadUser = 112, "probe_read_user", 3, (5, 5);
    ProbeReadKernel = 113, "probe_read_kernel", 3, (5, 5);
    ProbeReadUserStr = 114, "probe_read_user_str", 3, (5, 5);
    ProbeReadKernelStr = 115, "probe_read_kernel_str", 3, (5, 5);
    SendSignalThread = 117, "send_signal_thread", 1, (5, 6);
    Jiffies64 = 118, "jiffies64", 0, (5, 6);
    GetNsCurrentPidTgid = 120, "get_ns_current_pid_tgid", 4, (5, 7);
    KtimeGetBootNs = 125, "ktime_get_boot_ns", 0, (5, 8);
    RingbufOutput = 130, "ringbuf_output", 4, (5, 8);
    RingbufReserve = 131, "ringbuf_reserve", 3, (5, 8);
    RingbufSubmit = 132, "ringbuf_submit", 2, (5, 8);
    RingbufDiscard = 133, "ringbuf_discard", 2, (5, 8);
    DPath = 147, "d_path", 3, (5, 10);
    PerCpuPtr = 153, "per_cpu_ptr", 2, (5, 10);
    ThisCpuPtr = 154, "this_cpu_ptr", 1, (5, 10);
    GetCurrentTaskBtf = 158, "get_current_task_btf", 0, (5, 11);
    KtimeGetCoarseNs = 160, "ktime_get_coarse_ns", 0, (5, 11);
    ForEachMapElem = 164, "for_each_map_elem", 4, (5, 13);
    GetFuncIp = 173, "get_func_ip", 1, (5, 15);
    GetAttachCookie = 174, "get_attach_cookie", 1, (5, 15);
    TaskPtRegs = 175, "task_pt_regs", 1, (5, 15);
    Loop = 181, "loop", 4, (5, 17);
    Strncmp = 182, "strncmp", 3, (5, 17);
    GetFuncArg = 183, "get_func_arg", 3, (5, 17);
    GetFuncRet = 184, "get_func_ret", 2, (5, 17);
    MapLookupPercpuElem = 195, "map_lookup_percpu_elem", 3, (5, 19);
    KtimeGetTaiNs = 208, "ktime_get_tai_ns", 0, (6, 1);
}

impl Helper {
    /// The helper of a number.
    pub fn from_id(id: i32) -> Option<Self> {
        HELPERS.binary_search_by_key(&id, |helper| *helper as i32).ok().and_then(|index| HELPERS.get(index)).copied()
    }

    /// The helper of a name, without `bpf_`.
    pub fn from_name(name: &str) -> Option<Self> {
        HELPERS.iter().copied().find(|helper| helper.name() == name)
    }

    /// Whether it gives the same answer each time within one run of a program, so that a second call can be saved.
    pub fn is_constant_in_a_run(self) -> bool {
        matches!(
            self,
            Helper::GetCurrentPidTgid
                | Helper::GetCurrentUidGid
                | Helper::GetCurrentTask
                | Helper::GetCurrentTaskBtf
                | Helper::GetCurrentCgroupId
                | Helper::GetSmpProcessorId
                | Helper::GetNumaNodeId
        )
    }

    /// Whether calling it changes nothing, so that a call whose result is not used can go.
    pub fn is_pure(self) -> bool {
        self.is_constant_in_a_run()
            || matches!(
                self,
                Helper::MapLookupElem
                    | Helper::KtimeGetNs
                    | Helper::KtimeGetBootNs
                    | Helper::KtimeGetCoarseNs
                    | Helper::KtimeGetTaiNs
                    | Helper::Jiffies64
                    | Helper::GetPrandomU32
                    | Helper::GetAttachCookie
                    | Helper::GetFuncIp
                    | Helper::Strncmp
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_helper_is_found_by_its_number_and_name() {
        for helper in HELPERS {
            assert_eq!(Helper::from_id(*helper as i32), Some(*helper));
            assert_eq!(Helper::from_name(helper.name()), Some(*helper));
            assert!(helper.arg_count() <= 5);
        }
        assert_eq!(Helper::from_id(0), None);
        assert_eq!(Helper::from_name("nothing"), None);
    }
}
