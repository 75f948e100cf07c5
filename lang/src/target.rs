//! Everything the compiler must know about one node, as data.
//!
//! The agent gathers what a script [needs](crate::needs), the compiler only reads it. `Target::generic` stands for "some node":
//! unknown kernel types, tracepoints and functions are not errors there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bpf::btf::TypeId;
use bpf::program::ProgramType;

pub use crate::ctype::Types;
use crate::glob;
use crate::needs::SourceLine;

/// One node.
#[derive(Clone, Debug)]
pub struct Target {
    /// Register and calling conventions.
    pub arch: Arch,
    /// What the kernel can do; asked by trial, never taken from the version.
    pub features: Features,
    /// Whether everything a script names must exist here; false for [`Target::generic`].
    pub complete: bool,
    /// The kernel's types, where the kernel has them and the script needs them; behind them those of the modules and of the loaded
    /// programs whose functions it names.
    pub btf: Option<Arc<bpf::btf::Btf>>,
    /// What was added to the kernel's types, in order.
    pub added_types: Vec<TypesOf>,
    /// Tracepoints that match what the script names, by `category:event`. The format is absent where the script reads no field.
    pub tracepoints: BTreeMap<String, Option<TracepointFormat>>,
    /// Kernel functions that match what the script names and can be probed; the module is `None` for vmlinux.
    pub functions: BTreeMap<String, Option<String>>,
    /// Those of them that the kernel does not list as traceable, where it lists any.
    pub untraceable: BTreeSet<String>,
    /// What the compiler made of functions that do not exist by the names a script gives: `name.isra.0`, `name.part.0` and so on.
    pub variants: BTreeMap<String, Vec<String>>,
    /// Functions of the programs loaded into the kernel that match what the script names.
    pub program_functions: Vec<ProgramFunction>,
    /// The modules that are loaded, `vmlinux` among them; absent where the script names none.
    pub modules: Option<Vec<String>>,
    /// For names of tracepoints and functions that do not exist: the one that was probably meant.
    pub similar: BTreeMap<String, String>,
    /// Addresses of kernel symbols the script names (`kaddr`).
    pub kernel_symbols: BTreeMap<String, u64>,
    /// Functions of the kernel the script wants to call or asks about, each with the kinds of program that may call it.
    pub callable: BTreeMap<String, Vec<ProgramType>>,
    /// Ids of the cgroups (version 2) the script names by their paths (`cgroupid`).
    pub cgroups: BTreeMap<String, u64>,
    /// Programs and libraries the script's user probes name, by the file as the script names it; several where that is a pattern.
    pub user_files: BTreeMap<String, Vec<UserFile>>,
    /// The pid namespace of whoever traces, where that is not the node's first: process ids are those in it.
    pub pid_namespace: Option<PidNamespace>,
    /// Possible CPUs; per-CPU scratch is sized by it.
    pub cpus: u32,
}

/// A pid namespace, as the kernel tells it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PidNamespace {
    /// The device of its file.
    pub device: u64,
    /// The inode of its file.
    pub inode: u64,
}

/// Whose types a type is one of.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TypesOf {
    /// The kernel's.
    #[default]
    Kernel,
    /// A module's.
    Module(String),
    /// Those of a loaded program, by its id.
    Program(u32),
}

/// A function of a program that is loaded into the kernel: the program itself or one that it calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProgramFunction {
    /// The program's id.
    pub program: u32,
    /// The function's name in the program's types.
    pub name: String,
    /// Its type in the program's types.
    pub ty: bpf::btf::TypeId,
}

/// A program or library, as far as a script's probes name what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFile {
    /// What probes in it are called by: its path as the script writes it where the script names one file.
    pub name: String,
    /// What it is opened by: a path that leads to it from here, also where it is seen from another mount namespace.
    pub path: String,
    /// Its functions that the script may mean.
    pub functions: Vec<UserFunction>,
    /// Its static markers that the script may mean.
    pub markers: Vec<Marker>,
    /// Types that its debug information tells, as far as the script needs them: those of its functions' parameters and those it names.
    pub types: Option<Types>,
    /// Whether it has debug information, as far as the script needs any.
    pub described: bool,
    /// Why the places of its source that the script names are nowhere in it.
    pub wrong_lines: Vec<WrongLine>,
    /// Its symbols whose addresses the script asks for.
    pub symbols: Vec<UserSymbol>,
    /// What of it is loaded where, as far as symbols are asked for.
    pub parts: Vec<LoadedPart>,
    /// Whether it is loaded at another place in each process: its addresses say only how far things are apart.
    pub moves: bool,
}

/// A symbol of a program or library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserSymbol {
    /// As the symbol table has it.
    pub name: String,
    /// Where it is, before the file is moved anywhere.
    pub address: u64,
    /// Bytes; 0 where the symbol table does not say.
    pub size: u64,
}

/// A part of a file that is loaded in one piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadedPart {
    /// Bytes from the start of the file.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// Where it is, before the file is moved anywhere.
    pub address: u64,
}

impl UserFile {
    /// Where what lies at an offset into the file is loaded, before the file is moved anywhere.
    pub fn address_at(&self, offset: u64) -> Option<u64> {
        self.parts.iter().find_map(|part| {
            let within = offset.checked_sub(part.offset).filter(|within| *within < part.size)?;
            Some(part.address.wrapping_add(within))
        })
    }
}

/// A function of a program or library, or another place in it that the script names by its address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFunction {
    /// As the symbol table has it.
    pub name: String,
    /// As its source has it, where that was asked for and differs.
    pub demangled: Option<String>,
    /// Bytes from the start of the file.
    pub offset: u64,
    /// Bytes; 0 where the symbol table does not say.
    pub size: u64,
    /// Bytes from its start to where a probe of its entry costs less and sees the same: behind a landing mark of indirect branches or a
    /// comparison, at an instruction that the kernel carries out itself instead of having the CPU step over it.
    pub skip: u8,
    /// Of the offsets that the script names, those in the middle of an instruction.
    pub between: Vec<u64>,
    /// The function in the file's types, where the script wants it and debug information tells it.
    pub ty: Option<TypeId>,
}

/// A line of a program's source at which nothing can be attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongLine {
    /// What the script asks for.
    pub wanted: SourceLine,
    /// Why it cannot be had.
    pub why: String,
    /// What to do about it.
    pub help: String,
}

/// A static marker (USDT): an instruction that does nothing, and where its arguments are when it is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// Who defines it.
    pub provider: String,
    /// What it is called.
    pub name: String,
    /// The instruction: bytes from the start of the file.
    pub offset: u64,
    /// The counter that tells the program that somebody listens: bytes from the start of the file, 0 where there is none.
    pub semaphore: u64,
    /// Where its arguments are: `-4@%edi 8@-16(%rbp)`.
    pub arguments: String,
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
    /// Keys of hash maps that are longer than 512 bytes; 5.11.
    pub long_keys: bool,
    /// Direct loads from `bpf_get_current_task_btf`; 5.11.
    pub task_btf: bool,
    /// `bpf_task_pt_regs`, which tells where a task's kernel stack ends, and that kernel memory may be read; 5.15.
    pub task_registers: bool,
    /// `bpf_loop`; 5.17.
    pub bpf_loop: bool,
    /// `bpf_map_lookup_percpu_elem`: reading what other CPUs have counted; 5.19.
    pub percpu_lookup: bool,
    /// Hash maps whose elements are allocated when they are added, in any context, from caches made for it; 6.1.
    pub map_alloc: bool,
    /// Many functions of the kernel with one link, `BPF_TRACE_KPROBE_MULTI`; 5.18.
    pub kprobe_multi: bool,
    /// A program at the entry and at the return of functions with one link, `BPF_TRACE_KPROBE_SESSION`; 6.10.
    pub kprobe_session: bool,
    /// Many functions of a program with one link, `BPF_TRACE_UPROBE_MULTI`; 6.6.
    pub uprobe_multi: bool,
    /// Whether processes of another instruction set, whose system calls are numbered otherwise, may run.
    pub compat_syscalls: bool,
}

impl Features {
    /// What a kernel of our days can do.
    pub fn all() -> Self {
        Self {
            kprobe: true,
            fentry: true,
            long_keys: true,
            task_btf: true,
            task_registers: true,
            bpf_loop: true,
            percpu_lookup: true,
            map_alloc: true,
            kprobe_multi: true,
            kprobe_session: true,
            uprobe_multi: true,
            compat_syscalls: true,
        }
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Whether a module that the pattern stands for is loaded, as far as that is known.
    pub fn has_module(&self, pattern: &str) -> bool {
        self.modules.as_ref().is_none_or(|modules| modules.iter().any(|name| glob::matches(pattern, name)))
    }

    /// The program or library that is opened by this path.
    pub fn user_file(&self, path: &str) -> Option<&UserFile> {
        self.user_files.values().flatten().find(|file| file.path == path)
    }

    /// Some node of which nothing is known: it can do everything, and what a script names may exist there.
    pub fn generic() -> Self {
        Self {
            arch: Arch::default(),
            features: Features::all(),
            complete: false,
            btf: None,
            added_types: vec![],
            untraceable: BTreeSet::new(),
            variants: BTreeMap::new(),
            program_functions: vec![],
            modules: None,
            tracepoints: BTreeMap::new(),
            functions: BTreeMap::new(),
            similar: BTreeMap::new(),
            kernel_symbols: BTreeMap::new(),
            callable: BTreeMap::new(),
            cgroups: BTreeMap::new(),
            user_files: BTreeMap::new(),
            pid_namespace: None,
            cpus: 1,
        }
    }
}
