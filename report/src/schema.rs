//! The one description of what a compiled script leaves in BPF memory.
//!
//! Owns the types of map keys and values and of ring buffer records, with their byte layout. The compiler writes it,
//! [`crate::decode`] reads it; nothing else interprets map bytes. Integers are in the byte order of the node.

#![allow(missing_docs, reason = "fields of variants are told with their variant")]

use serde::{Deserialize, Serialize};

use crate::series::Fold;

/// What a script's maps and events look like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The script's own maps, in name order. Indexed by [`MapId`].
    pub maps: Vec<MapSchema>,
    /// Every asynchronous action of the script. Indexed by [`EventId`].
    pub events: Vec<EventSchema>,
}

impl Schema {
    /// Whether any value of it, however deep inside of another, is of such a type.
    pub fn has(&self, is: &dyn Fn(&Type) -> bool) -> bool {
        let of_map = |map: &MapSchema| {
            let held = matches!(&map.kind, ValueKind::Value(ty) if ty.has(is));
            held || map.key.iter().any(|field| field.ty.has(is))
        };
        let of_event = |event: &EventSchema| match &event.kind {
            EventKind::Printf { args, .. } | EventKind::Cat { args, .. } | EventKind::System { args, .. } => {
                args.iter().any(|field| field.ty.has(is))
            }
            EventKind::PrintValue(field) => field.ty.has(is),
            _ => false,
        };
        self.maps.iter().any(of_map) || self.events.iter().any(of_event)
    }
}

/// Index of a script map in [`Schema::maps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MapId(pub u16);

/// Index of an action in [`Schema::events`]; the first four bytes of each ring buffer record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventId(pub u32);

/// One `@name` of the script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapSchema {
    /// The name with its sigil: `@`, `@bytes`.
    pub name: String,
    /// The key's components with their offsets; empty for a scalar map.
    pub key: Vec<Field>,
    /// What the values are.
    pub kind: ValueKind,
    /// Bytes of the key in the BPF map (4 for a scalar map: the array index, always 0).
    pub key_size: u32,
    /// Bytes of one value in the BPF map, per CPU where [`MapSchema::per_cpu`] says so; a multiple of 8 per CPU.
    pub value_size: u32,
    /// Whether the BPF map holds one value for every possible CPU.
    pub per_cpu: bool,
}

impl MapSchema {
    /// Whether the map has no key. A scalar map is a BPF array of one element. The last 8 bytes of each (per-CPU)
    /// value are its presence word: non-zero once the script has assigned the map on that CPU.
    pub fn is_scalar(&self) -> bool {
        self.key.is_empty()
    }
}

/// What a map's values are, and so how they merge and print. The layouts are arrays of 64-bit words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ValueKind {
    /// `count()`: `[count]`.
    Count,
    /// `sum(v)`: `[total]`, wrapping.
    Sum { signed: bool },
    /// `min(v)`: `[value, is_set]`.
    Min { signed: bool },
    /// `max(v)`: `[value, is_set]`.
    Max { signed: bool },
    /// `avg(v)`: `[total, count]`.
    Avg { signed: bool },
    /// `stats(v)`: `[total, count]`.
    Stats { signed: bool },
    /// `hist(v, bits)`: `[sum, bucket 0, bucket 1, ..]`; bucket numbers as [`crate::hist`] defines them. `bits` is 0..=5.
    Hist { bits: u8, signed: bool },
    /// `lhist(v, min, max, step)`: `[sum, underflow, first .. last, overflow]`.
    Lhist { min: i64, max: i64, step: i64, signed: bool },
    /// `tseries(v, interval_ns, intervals, fold)`: for each interval, at its number modulo `intervals`, the words of
    /// [`crate::series`].
    Tseries { interval_ns: u64, intervals: u32, fold: Fold, signed: bool },
    /// A plain assigned value; not merged across nodes.
    Value(Type),
}

/// A value's type and how it lies in memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// An integer of `bytes` 1, 2, 4 or 8.
    Int { bytes: u8, signed: bool },
    /// A bit-field: `width` bits of an integer of `bytes`, from bit `first` on.
    Bits { bytes: u8, signed: bool, first: u8, width: u8 },
    /// One byte, 0 or 1.
    Bool,
    /// A kernel or user address, 8 bytes; prints as hexadecimal.
    Pointer,
    /// A C string in `size` bytes, NUL filled. Truncated when no NUL fits.
    Str { size: u32 },
    /// `buf()`: a 32-bit length, then up to `capacity` bytes.
    Buf { capacity: u32 },
    /// An IP address: 32-bit address family (AF_INET 2, AF_INET6 10), then 16 bytes.
    Inet,
    /// A link-layer address, 6 bytes.
    Mac,
    /// A kernel address that prints as its symbol, 8 bytes.
    Ksym,
    /// A user address that prints as its symbol: 64-bit address, 32-bit pid, 32 bits of padding.
    Usym,
    /// A kernel stack: its 64-bit number, the key of the map of stacks [`StackMapId`]; negative where there was none.
    Kstack(StackType),
    /// A user stack: its 64-bit number, 32-bit pid, 32 bits of padding.
    Ustack(StackType),
    /// An integer that prints as the name of its enum variant where one matches.
    Enum { bytes: u8, signed: bool, variants: Vec<(i64, String)> },
    /// A number that stands for text: an error, a signal, a system call. One without a name prints as a number.
    Name { bytes: u8, signed: bool, names: Vec<(i64, String)> },
    /// `strftime(format, nsecs)`: nanoseconds since boot, 8 bytes; prints as wall-clock time in `format`.
    Timestamp { format: String },
    /// A uid that prints as the user's name, 8 bytes.
    Username,
    /// A cgroup id that prints as its path, 8 bytes.
    CgroupPath,
    /// What the language has no values of, as a number with a fraction in a struct; its bytes are not looked at.
    Nothing,
    /// `len` elements of one type, back to back.
    Array { element: Box<Type>, len: u32 },
    /// Components with their offsets.
    Tuple(Vec<Field>),
    /// Named components with their offsets; also a struct read by value.
    Record(Vec<(String, Field)>),
}

impl Type {
    /// Whether it, or any type it is made of, is such a type.
    fn has(&self, is: &dyn Fn(&Type) -> bool) -> bool {
        let inside = match self {
            Self::Array { element, .. } => element.has(is),
            Self::Tuple(fields) => fields.iter().any(|field| field.ty.has(is)),
            Self::Record(fields) => fields.iter().any(|(_, field)| field.ty.has(is)),
            _ => false,
        };
        inside || is(self)
    }
}

/// A component of a key, tuple, record or event: its type and its offset in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    /// What the bytes mean.
    pub ty: Type,
    /// Where they start, from the start of the enclosing key, tuple or record.
    pub offset: u32,
}

/// Index of a map of stacks among a program's maps of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StackMapId(pub u16);

/// How a stack is taken and printed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StackType {
    /// Which map of stacks holds it.
    pub map: StackMapId,
    /// How frames print.
    pub mode: StackMode,
    /// The most frames kept.
    pub depth: u16,
}

/// How the frames of a stack print, as bpftrace's `stack_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StackMode {
    /// `symbol+offset`.
    #[default]
    Bpftrace,
    /// `hex symbol+offset (module)`.
    Perf,
    /// Hexadecimal addresses.
    Raw,
    /// Build id and file offset.
    BuildId,
}

/// One asynchronous action: what the script asks the reader of the ring buffer to do.
///
/// A record is `[u32 event id, u32 zero, payload]`; field offsets count from the start of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSchema {
    /// What to do.
    pub kind: EventKind,
    /// Bytes of the whole record.
    pub size: u32,
}

/// What a ring buffer record asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// `printf(format, args)`, and its kin that print elsewhere.
    Printf { to: PrintfTo, format: String, args: Vec<Field> },
    /// `print(value)`.
    PrintValue(Field),
    /// `print(@m, top, div)`; 0 stands for an absent argument.
    PrintMap { map: MapId, top: u64, div: u64 },
    /// `print(@m[key])`: the key's bytes are at `key_offset`, laid out as the map's key.
    PrintKey { map: MapId, key_offset: u32 },
    /// `clear(@m)`.
    Clear(MapId),
    /// `zero(@m)`.
    Zero(MapId),
    /// `time(format)`.
    Time { format: String },
    /// `exit(code)`: the code is a 32-bit integer at this offset.
    Exit { code_offset: u32 },
    /// `join(argv, delimiter)`: a 32-bit argument count at offset 8, then `slots` strings of `slot_size` bytes from offset 16.
    Join { delimiter: String, slots: u32, slot_size: u32 },
    /// `cat(format, args)`.
    Cat { format: String, args: Vec<Field> },
    /// `system(format, args)`.
    System { format: String, args: Vec<Field> },
    /// `unwatch(address)`: the 64-bit address at offset 8.
    Unwatch,
    /// `skboutput(path, skb, length, offset)`: nanoseconds since boot at offset 8, a 64-bit length at offset 16, then so many bytes of
    /// the packet, of which `skip` are left out. These records come through a buffer of their own.
    Packet { path: String, skip: u64 },
    /// A helper failed or a map was full: a 32-bit signed return code at offset 8.
    HelperError { helper: String, message: String, at: Part },
}

/// Where a formatted line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrintfTo {
    /// `printf`: the script's output.
    Output,
    /// `errorf`: an error message about the call.
    Error(CallSite),
    /// `warnf`: a warning message about the call.
    Warning(CallSite),
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSite {
    /// The call itself.
    pub at: Part,
    /// Where the macro is called whose body the call is in.
    pub expanded_from: Option<Part>,
}

impl From<Part> for CallSite {
    fn from(at: Part) -> Self {
        CallSite { at, expanded_from: None }
    }
}

/// A part of one line of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The line, from 1.
    pub line: u32,
    /// The first column, from 1.
    pub column: u32,
    /// The column behind the last one.
    pub end: u32,
}
