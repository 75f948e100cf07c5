//! What the compiler hands over: programs, maps, attach points and the schema.

use bpf::insn::Insn;
use bpf::map::MapType;
use bpf::program::{AttachType, ProgramType};
use report::schema::{MapId, Schema, StackMapId};

use crate::config::MissingProbes;
use crate::diagnostic::Diagnostic;
use crate::ir::MapRef;
use crate::span::Span;
use crate::target::TypesOf;

/// Innermost frames that a stack taken by a raw tracepoint may hold more than asked for: those of the tracing itself, which whoever
/// symbolises leaves out.
pub const MACHINERY_FRAMES: u16 = 4;

/// A script, compiled for one target.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// In the order of the script's probes.
    pub programs: Vec<Program>,
    /// Every BPF map to create, indexed by [`MapRef`].
    pub maps: Vec<MapDef>,
    /// What user space finds in them.
    pub schema: Schema,
    /// What the user should know.
    pub warnings: Vec<Diagnostic>,
    /// Settings that act at run time.
    pub settings: Settings,
}

/// Settings of the script's config block and environment that act at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether the maps are printed when the script ends.
    pub print_maps_on_exit: bool,
    /// The most bytes `cat` prints.
    pub max_cat_bytes: u32,
    /// Strings of at least so many bytes may have been cut off.
    pub cut_text_bytes: u32,
    /// Printed after a string that was cut off.
    pub str_trunc_trailer: String,
    /// What to do about an attach point that the kernel refuses.
    pub missing_probes: MissingProbes,
}

/// One BPF program and all the places it attaches to.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it is called where programs are listed: a name in C, of which the kernel itself keeps 15 characters.
    pub name: String,
    /// What the kernel loads it as.
    pub kind: ProgramType,
    /// How it attaches, where its kind leaves that open: a tracing program's target, or many functions with one link.
    pub expected: Option<Expected>,
    /// The code; map addresses are zero until relocated.
    pub insns: Vec<Insn>,
    /// Where map addresses go.
    pub relocations: Vec<Relocation>,
    /// For each instruction slot, the place in the script it comes from.
    pub spans: Vec<Span>,
    /// Where each of its functions starts, the first at 0. With more than one the kernel wants to be told what they are: each is
    /// a static function without declared arguments that returns an integer.
    pub functions: Vec<usize>,
    /// Where it attaches; several where one program serves them all.
    pub attach: Vec<Attach>,
}

/// How a program attaches, as the kernel wants to know when it loads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// How.
    pub attach: AttachType,
    /// For tracing programs: the BTF type id of the target; else 0.
    pub type_id: u32,
    /// Whose types that id is one of.
    pub of: TypesOf,
}

/// A `ld_imm64` that wants a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// Index of the first of the two slots.
    pub insn: usize,
    /// Which map.
    pub map: MapRef,
    /// `None` for the map itself (pseudo source 1), else the byte offset into its only value (pseudo source 2).
    pub value_offset: Option<u32>,
}

/// One concrete place a program attaches to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are described with their variant")]
pub enum Attach {
    /// Run once before the others attach.
    Begin,
    /// Run once after the others have detached.
    End,
    /// A tracepoint through perf; the context is its record.
    Tracepoint { category: String, event: String },
    /// A tracepoint's raw form; the context is its arguments.
    RawTracepoint { event: String },
    /// A kernel function's entry, `offset` bytes in.
    Kprobe { function: String, offset: u64 },
    /// A kernel function's return.
    Kretprobe { function: String },
    /// A kernel function's entry or, with `ret`, return, by its types: the context is its arguments. What it attaches to is told when it
    /// is loaded.
    Function { function: String, ret: bool },
    /// Many system calls' entry or, with `exit`, end, in the raw form they share. The program tells them apart.
    Syscalls { exit: bool, events: Vec<String> },
    /// An instruction of a program or library, `offset` bytes into the file at `path`; with `ret` the return of the function that starts
    /// there. `semaphore` is where the file has a counter of listeners, or 0. `again` tells a further place of a marker that has several.
    Uprobe { path: String, function: String, offset: u64, ret: bool, semaphore: u64, again: bool },
    /// A software event of perf by its number, every `period` times.
    Software { event: u64, period: u64 },
    /// A hardware event of perf by its number, every `period` times.
    Hardware { event: u64, period: u64 },
    /// Accesses to memory of `length` bytes from an address on.
    Watchpoint { address: u64, length: u64, access: Access },
    /// The kernel's objects of one kind, one after the other, once.
    Iter { kind: String },
    /// Run when this process receives a signal, by its number.
    Signal { number: i32 },
    /// Run by hand when the user asks for the script's tests or benchmarks.
    Trial { name: String },
    /// Every so many nanoseconds, on one CPU.
    Interval { nanoseconds: u64 },
    /// Samples on every CPU.
    Profile(SampleRate),
}

/// Which accesses a watchpoint watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are what they are called")]
pub struct Access {
    pub read: bool,
    pub write: bool,
    pub execute: bool,
}

impl Attach {
    /// Whether the program is run by hand instead of being attached.
    pub fn is_by_hand(&self) -> bool {
        matches!(self, Self::Begin | Self::End | Self::Signal { .. } | Self::Trial { .. })
    }

    /// Whether its program runs with interrupts on, so that the kernel's allocator is filled up again after each element that is
    /// added to a map. With interrupts off it has one element at hand, or a few.
    pub fn allocates_at_will(&self) -> bool {
        match self {
            Self::Begin | Self::End | Self::Signal { .. } | Self::Trial { .. } | Self::Syscalls { .. } => true,
            Self::Uprobe { .. } | Self::Iter { .. } => true,
            Self::Tracepoint { category, .. } => matches!(category.as_str(), "syscalls" | "raw_syscalls"),
            Self::RawTracepoint { event } => matches!(event.as_str(), "sys_enter" | "sys_exit"),
            _ => false,
        }
    }

    /// How many attach points of the script it stands for.
    pub fn points(&self) -> usize {
        match self {
            Self::Syscalls { events, .. } => events.len(),
            Self::Uprobe { again: true, .. } => 0,
            _ => 1,
        }
    }
}

/// How often a profile samples each CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleRate {
    /// Times per second.
    Hertz(u64),
    /// Nanoseconds between samples.
    Nanoseconds(u64),
}

/// One BPF map to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapDef {
    /// What `bpftool map` shows: at most 15 of `[A-Za-z0-9_.]`.
    pub name: String,
    /// What the kernel creates.
    pub kind: MapType,
    /// Bytes.
    pub key_size: u32,
    /// Bytes, per CPU for the per-CPU kinds.
    pub value_size: u32,
    /// Elements; bytes for a ring buffer.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub flags: u32,
    /// What it is for.
    pub role: MapRole,
    /// Bytes of a value of the arrays that it holds, of any length, where it holds maps.
    pub inner_value_size: Option<u32>,
    /// What it holds before the programs run: elements by their index, each at most a value long.
    pub contents: Vec<(u32, Vec<u8>)>,
}

/// The maps by which stacks are followed; a script has all of them or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnwindTable {
    /// Each process's pieces of code, by its image.
    Processes,
    /// Each file's rules, by its number.
    Files,
    /// The ring buffer of requests.
    Requests,
    /// By its key each request that is not sent again.
    Asked,
}

/// What a BPF map is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapRole {
    /// A map of the script.
    User(MapId),
    /// The ring buffer of events; at most one.
    Events,
    /// The buffers of packets, one for each CPU; at most one array of them. Its number of elements is the node's number of CPUs.
    Packets,
    /// A per-CPU array of one element: events that found the ring buffer full, stacks that found no place, elements that found
    /// their map full, one 64-bit count each in this order.
    Lost,
    /// Stacks by id.
    Stacks(StackMapId),
    /// What programs remember of stacks they met, for themselves.
    Unwind,
    /// A part of what stacks are followed by: see [`crate::unwinding`].
    UnwindTable(UnwindTable),
    /// Working memory of the programs.
    Scratch,
    /// An array of one element, two 64-bit words: the nanoseconds since boot (`CLOCK_BOOTTIME`) when the session started, and those
    /// from 1970 to booting by the wall clock; written before anything attaches.
    Start,
    /// Read by programs only, filled with these zeros: the template of a new element.
    Zeros,
    /// Read by programs only: the system calls a program is about, by number, each with its attach point's name.
    Syscalls,
}
