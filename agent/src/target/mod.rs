//! Gathers what a script needs to know of this node into the compiler's [`Target`].
//!
//! Lazily: a script that names no tracepoint, function or kernel type costs no read beyond the number of CPUs. What is
//! expensive to read (kernel types, symbols) is shared with whoever holds it at the moment and freed with the last of them.
//! Interpreting what was gathered is left to the compiler.

mod btf;
mod cgroups;
pub mod features;
mod format;
mod functions;
mod programs;
mod similar;
mod tracepoints;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use lang::needs::Needs;
use lang::target::PidNamespace;
use lang::target::{Arch, Target, TracepointFormat};

use crate::kallsyms::Kallsyms;
use crate::{sys, tracefs};

pub use btf::{of_module as types_of, vmlinux as kernel_types};
pub use functions::{Function, functions};
pub use programs::loaded as programs;
pub use tracepoints::{format, names};

/// Why a node cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The machine has registers nobody taught the compiler.
    #[error("scripts cannot be compiled for this processor: {0}")]
    UnknownArchitecture(&'static str),
    /// There is no tracefs and none could be mounted.
    #[error(transparent)]
    Tracefs(#[from] tracefs::Missing),
    /// A file of the kernel cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The kernel's types do not parse.
    #[error("/sys/kernel/btf/vmlinux: {0}")]
    Btf(#[from] ::bpf::btf::BtfError),
}

impl TargetError {
    pub(crate) fn unreadable(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| TargetError::Unreadable { path, error }
    }
}

/// Describes this node, as far as `needs` asks.
pub fn gather(needs: &Needs) -> Result<Target, TargetError> {
    let cpus = sys::map::possible_cpus().map_err(TargetError::unreadable("/sys/devices/system/cpu/possible"))?;
    let found = functions::matching(&needs.functions, needs.traceable_functions.as_deref())?;
    let functions::Found { modules: functions, untraceable, variants } = found;
    let tracepoints = tracepoints::matching(&needs.tracepoints)?;
    // Where there are no kprobes functions may be attached to by their types.
    let by_types = !functions.is_empty() && !features::has_kprobes();
    let btf = if needs.btf || by_types || has_enums(&tracepoints) { btf::vmlinux()? } else { None };
    // Only a script that names functions can ask for fentry.
    let names_functions = !needs.functions.is_empty() || !needs.program_functions.is_empty();
    let features = features::features(needs, btf.as_deref().filter(|_| names_functions));
    let programs = programs::matching(&needs.program_functions);
    let (btf, added_types) = match btf {
        Some(btf) => {
            let (all, added) = btf::with_others(btf, &functions, &programs);
            (Some(all), added)
        }
        None => (None, Vec::new()),
    };
    let mut target = Target {
        arch: arch()?,
        features,
        complete: true,
        tracepoints,
        functions,
        similar: Default::default(),
        kernel_symbols: Default::default(),
        callable: features::callable(&needs.callable, btf.as_deref()),
        cgroups: cgroups::ids(&needs.cgroups),
        added_types,
        untraceable,
        variants,
        program_functions: programs.into_iter().flat_map(|program| program.functions).collect(),
        modules: needs.modules.then(modules),
        pid_namespace: pid_namespace(),
        user_files: crate::user::gather(needs),
        cpus,
        btf,
    };
    target.similar = similar::names(needs, &target)?;
    if !needs.kernel_symbols.is_empty() {
        let kallsyms = Kallsyms::shared().map_err(TargetError::unreadable(crate::kallsyms::PATH))?;
        for name in &needs.kernel_symbols {
            if let Some(address) = kallsyms.address(name) {
                target.kernel_symbols.insert(name.clone(), address);
            }
        }
    }
    Ok(target)
}

/// Whether a field that the script may read is an enum: only the kernel's types tell the names of its values.
fn has_enums(tracepoints: &BTreeMap<String, Option<TracepointFormat>>) -> bool {
    tracepoints.values().flatten().flat_map(|format| &format.fields).any(|field| field.ty.starts_with("enum "))
}

/// The modules that are loaded, and the kernel itself.
fn modules() -> Vec<String> {
    let loaded = std::fs::read_to_string("/proc/modules").unwrap_or_default();
    let names = loaded.lines().filter_map(|line| line.split_whitespace().next());
    std::iter::once("vmlinux").chain(names).map(str::to_owned).collect()
}

fn arch() -> Result<Arch, TargetError> {
    match std::env::consts::ARCH {
        "x86_64" => Ok(Arch::X86_64),
        "aarch64" => Ok(Arch::Aarch64),
        other => Err(TargetError::UnknownArchitecture(other)),
    }
}

/// The inode of the first pid namespace: include/linux/proc_ns.h.
const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;

/// This process's pid namespace, unless it is the first.
fn pid_namespace() -> Option<PidNamespace> {
    let file = std::fs::metadata("/proc/self/ns/pid").ok()?;
    let namespace = PidNamespace { device: file.dev(), inode: file.ino() };
    (namespace.inode != FIRST_PID_NAMESPACE).then_some(namespace)
}
