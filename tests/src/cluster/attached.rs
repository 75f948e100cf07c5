//! What a process holds of the kernel's BPF: seen from outside, through `/proc` and bpftool.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::Answer;

/// Programs, maps, links and perf events of one process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attached {
    /// The ids of the programs that it has descriptors of, directly or through a link.
    pub programs: BTreeSet<u32>,
    /// Its descriptors by what they are: `bpf-prog`, `bpf-map`, `bpf_link`, `[perf_event]`.
    pub descriptors: Vec<String>,
}

impl Attached {
    /// Looks at the process `id`. One that is gone holds nothing.
    pub fn of(id: u32) -> Attached {
        let process = Path::new("/proc").join(id.to_string());
        let mut attached = Attached::default();
        for entry in fs::read_dir(process.join("fd")).into_iter().flatten().flatten() {
            let link = fs::read_link(entry.path()).unwrap_or_default();
            let Some(kind) = link.to_str().and_then(|link| link.strip_prefix("anon_inode:")) else { continue };
            if !kind.contains("bpf") && !kind.contains("perf_event") {
                continue;
            }
            attached.descriptors.push(kind.to_owned());
            let details = fs::read_to_string(process.join("fdinfo").join(entry.file_name())).unwrap_or_default();
            let ids = details.lines().filter_map(|line| line.strip_prefix("prog_id:")?.trim().parse::<u32>().ok());
            attached.programs.extend(ids);
        }
        attached.descriptors.sort();
        attached
    }

    /// Whether there is none of all this.
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty() && self.descriptors.is_empty()
    }
}

/// Whether the kernel still has a program, as `bpftool prog show id ID` sees it.
///
/// # Panics
/// When bpftool cannot be started.
pub fn kernel_has_program(id: u32) -> bool {
    let shown = Answer::of(Command::new("bpftool").args(["prog", "show", "id", &id.to_string()]));
    assert!(shown.success || shown.stderr.contains("No such file"), "{shown:?}");
    shown.success
}
