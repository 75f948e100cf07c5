//! The kernel suite: scripts, workloads whose reads are counted beforehand, and the exact result.
//!
//! The workloads are busybox `dd` runs: each block is one `vfs_read` and one `vfs_write` (busybox `cat` uses sendfile
//! instead). A case that is not restricted to `dd` looks only at read sizes that nothing else in the guest uses.

use super::expect::Expect;

/// One case of the suite.
pub struct Case {
    /// A word, unique among the cases; also a file name in the guest.
    pub name: &'static str,
    /// Ended by SIGINT when the workload is done.
    pub script: &'static str,
    /// Shell commands.
    pub workload: &'static str,
    pub expected: &'static [Expect],
}

/// 300 reads of 1000 bytes, 40 of 250, one of 4500 in 1000 byte blocks (the last one short, then the end of the file),
/// and one that fails because directories cannot be read.
const MIXED_READS: &str = "dd if=/dev/zero of=/dev/null bs=1000 count=300
dd if=/dev/zero of=/dev/null bs=250 count=40
dd if=/dev/zero of=/tmp/file bs=4500 count=1
dd if=/tmp/file of=/dev/null bs=1000
dd if=/ of=/dev/null bs=1000 count=1";

/// 777 reads and writes of a size that nothing else uses.
const ODD_READS: &str = "dd if=/dev/zero of=/dev/null bs=1300 count=777";

/// All cases, run in this order in one guest.
pub const CASES: [Case; 16] = [
    Case {
        name: "read-sizes-of-everybody",
        script: include_str!("../../../examples/vfs-read-return.bt"),
        workload: ODD_READS,
        expected: &[Expect::Row("@bytes", "[1200, 1400)", 777)],
    },
    Case {
        name: "read-sizes-of-one-program",
        script: r#"kretprobe:vfs_read /comm == "dd"/ { @bytes = lhist(retval, 0, 2000, 200); }"#,
        workload: MIXED_READS,
        expected: &[Expect::Rows(
            "@bytes",
            &[
                ("(..., 0)", 1),
                ("[0, 200)", 1),
                ("[200, 400)", 40),
                ("[400, 600)", 1),
                ("[1000, 1200)", 304),
                ("[2000, ...)", 1),
            ],
        )],
    },
    Case {
        name: "read-latency",
        script: include_str!("../../../examples/vfs-read-latency.bt"),
        workload: ODD_READS,
        expected: &[Expect::Values("@ns[dd]", 777)],
    },
    Case {
        name: "arguments-of-a-function",
        script: r#"kprobe:vfs_read /comm == "dd"/ { @size[arg2] = count(); }"#,
        workload: MIXED_READS,
        expected: &[Expect::Line("@size[4500]: 1"), Expect::Line("@size[250]: 40"), Expect::Line("@size[1000]: 307")],
    },
    Case {
        name: "entry-and-return-agree",
        script: r#"kprobe:vfs_read /comm == "dd"/ { @calls = count(); }
                   kretprobe:vfs_read /comm == "dd"/ { @returns = count(); @bytes = sum(retval); }"#,
        workload: ODD_READS,
        expected: &[Expect::Line("@calls: 777"), Expect::Line("@returns: 777"), Expect::Line("@bytes: 1010100")],
    },
    Case {
        name: "one-body-for-two-functions",
        script: r#"kprobe:vfs_read, kprobe:vfs_write /comm == "dd" && arg2 == 1300/ { @[probe] = count(); }"#,
        workload: ODD_READS,
        expected: &[Expect::Line("@[kprobe:vfs_read]: 777"), Expect::Line("@[kprobe:vfs_write]: 777")],
    },
    Case {
        name: "tracepoint-fields-on-this-kernel",
        script: r#"tracepoint:syscalls:sys_exit_read /comm == "dd"/ { @bytes = hist(args->ret); }"#,
        workload: MIXED_READS,
        expected: &[Expect::Rows(
            "@bytes",
            &[("(..., 0)", 1), ("[0]", 1), ("[128, 256)", 40), ("[256, 512)", 1), ("[512, 1K)", 304), ("[4K, 8K)", 1)],
        )],
    },
    Case {
        name: "syscalls-by-name-of-program",
        script: "tracepoint:raw_syscalls:sys_enter { @[comm, args->id] = count(); }",
        workload: ODD_READS,
        // x86-64: read is 0; the writes include what dd prints about itself.
        expected: &[Expect::Line("@[dd, 0]: 777")],
    },
    Case {
        name: "wildcard-over-system-calls",
        script: r#"tracepoint:syscalls:sys_enter_* /comm == "dd"/ { @[probe] = count(); }
                   tracepoint:syscalls:sys_exit_* /comm == "dd" && args.ret == 1300/ { @full[probe] = count(); }"#,
        workload: ODD_READS,
        expected: &[
            Expect::Line("@[tracepoint:syscalls:sys_enter_read]: 777"),
            Expect::Line("@full[tracepoint:syscalls:sys_exit_read]: 777"),
            Expect::Line("@full[tracepoint:syscalls:sys_exit_write]: 777"),
        ],
    },
    Case {
        name: "arguments-by-name",
        script: r#"fentry:vfs_read /comm == "dd"/ { @size[args.count] = count(); @null = max(args.file == 0); }"#,
        workload: MIXED_READS,
        expected: &[Expect::Line("@size[4500]: 1"), Expect::Line("@size[250]: 40"), Expect::Line("@size[1000]: 307")],
    },
    Case {
        name: "members-of-arguments",
        script: r#"fentry:vfs_read /comm == "dd"/ { @[args.file->f_inode->i_mode & 0170000] = count(); }"#,
        workload: ODD_READS,
        // 020000 is the kind of a device.
        expected: &[Expect::Line("@[8192]: 777")],
    },
    Case {
        name: "results-by-types",
        script: r#"fexit:vfs_read /comm == "dd"/ { @bytes = sum(retval); @calls = count(); @by[func] = count(); }"#,
        workload: ODD_READS,
        expected: &[Expect::Line("@bytes: 1010100"), Expect::Line("@calls: 777"), Expect::Line("@by[vfs_read]: 777")],
    },
    Case {
        name: "wildcard-over-functions",
        script: r#"kprobe:vfs_* /comm == "dd" && arg2 == 1300/ { @[func] = count(); }
                   kretprobe:vfs_* /comm == "dd" && retval == 1300/ { @ret[func] = count(); }"#,
        workload: ODD_READS,
        expected: &[
            Expect::Line("@[vfs_read]: 777"),
            Expect::Line("@[vfs_write]: 777"),
            Expect::Line("@ret[vfs_read]: 777"),
            Expect::Line("@ret[vfs_write]: 777"),
        ],
    },
    Case {
        name: "function-of-the-kernel-itself",
        script: r#"kprobe:vmlinux:vfs_read+0 /comm == "dd"/ { @ = count(); @stack[kstack(1)] = count(); }"#,
        workload: ODD_READS,
        expected: &[Expect::Line("@: 777"), Expect::Line("]: 777")],
    },
    Case {
        name: "tasks-walked-through",
        script: r#"iter:task /ctx.task.pid == 1/ { @ = count(); printf("%s\n", ctx.task.comm); }"#,
        workload: "true",
        expected: &[Expect::Line("@: 1"), Expect::Line("init")],
    },
    Case {
        name: "raw-tracepoint-by-name",
        script: r#"rawtracepoint:sys_exit /comm == "dd" && args.ret == 1300/ { @ = count(); }"#,
        workload: ODD_READS,
        expected: &[Expect::Line("@: 1554")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_names_are_unique_file_names() {
        for (index, case) in CASES.iter().enumerate() {
            assert!(case.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", case.name);
            assert!(CASES[index + 1..].iter().all(|other| other.name != case.name), "{}", case.name);
            assert!(!case.expected.is_empty(), "{}", case.name);
        }
    }

    #[test]
    fn every_example_that_needs_kprobes_is_a_case() {
        for path in crate::repo::files(&crate::repo::root().join("examples")).unwrap() {
            let script = std::fs::read_to_string(crate::repo::root().join("examples").join(&path)).unwrap();
            let needs = path.extension().is_some_and(|extension| extension == "bt")
                && script.lines().any(|line| line.starts_with("kprobe:") || line.starts_with("kretprobe:"));
            assert!(!needs || CASES.iter().any(|case| case.script == script), "{}", path.display());
        }
    }
}
