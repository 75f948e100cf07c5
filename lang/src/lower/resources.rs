//! The BPF maps and events that the programs of a script share; those that are not the script's own are made when first used.

use std::rc::Rc;

use bpf::map::{MapType, NO_PREALLOC, RDONLY_PROG};
use report::schema::{EventId, EventKind, EventSchema, MapId, Schema, StackMapId, StackMode, StackType};

use super::Unit;
use super::layout::{MapLayout, hash_flags};
use super::unwind::RULES;
use crate::builtin::MOST_FRAMES;
use crate::compiled::{MACHINERY_FRAMES, MapDef, MapRole, UnwindTable};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hir::Map;
use crate::ir::MapRef;
use crate::unwinding;

/// How many stacks are kept.
const STACKS: u32 = 16384;
/// Bytes of a frame that is a build id and an offset: `struct bpf_stack_build_id`.
const BUILD_ID_FRAME: u32 = 32;
/// Bytes of the ring buffer of a script that sends data through it, and of one that only sends commands, which are few
/// and small. The reader maps a ring buffer twice, whole.
const DATA_RING: u32 = 1 << 20;
const COMMAND_RING: u32 = 1 << 16;
/// The most bytes of elements that are allocated before they are needed.
const MOST_PREALLOCATED: u64 = 1 << 24;

/// What is counted when something could not be kept: the words of the Lost map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The ring buffer was full.
    Event = 0,
    /// A stack found no place.
    Stack = 1,
    /// An element found its map full.
    Element = 2,
}

/// BPF maps and events.
#[derive(Debug, Default)]
pub struct Resources {
    /// Every BPF map, indexed by [`MapRef`]; the script's own come first, in their order.
    pub maps: Vec<MapDef>,
    /// What the reader must know.
    pub schema: Schema,
    layouts: Vec<MapLayout>,
    events: Option<MapRef>,
    packets: Option<MapRef>,
    lost: Option<MapRef>,
    stacks: Vec<(StackMapId, MapRef)>,
    unwind_rules: Option<MapRef>,
    walks: Option<MapRef>,
    unwind_tables: Option<UnwindTables>,
    scratch: Option<MapRef>,
    large_scratch: Option<MapRef>,
    zeros: Option<MapRef>,
    start: Option<MapRef>,
    ended: Option<MapRef>,
    ring_buffer_bytes: Option<u32>,
}

/// The maps by which a program follows stacks of processes.
#[derive(Clone, Copy, Debug)]
pub struct UnwindTables {
    /// Pieces of code, by the image.
    pub processes: MapRef,
    /// Rules, by the file's number.
    pub files: MapRef,
    /// The ring buffer of requests.
    pub requests: MapRef,
    /// Requests that are not sent again, by their keys.
    pub asked: MapRef,
}

/// How many requests are remembered.
const REQUESTS: u32 = 1024;

/// Bytes of a stack that is kept: as many frames as it has, besides those of the tracing itself.
pub fn stack_bytes(stack: &StackType) -> u32 {
    let frames = u32::from(stack.depth.saturating_add(MACHINERY_FRAMES).clamp(1, MOST_FRAMES));
    frames * if stack.mode == StackMode::BuildId { BUILD_ID_FRAME } else { 8 }
}

impl Resources {
    /// The script's own maps.
    pub fn new(unit: &Unit<'_>, diagnostics: &mut Diagnostics) -> Self {
        let flags = hash_flags(unit);
        let ring_buffer_bytes = unit.config.ring_buffer_bytes;
        let mut resources = Self { ring_buffer_bytes, ..Self::default() };
        for (index, map) in unit.program.maps.iter().enumerate() {
            let id = MapId(index as u16);
            let Some((layout, schema)) =
                MapLayout::of(map).and_then(|layout| layout.schema(&map.name).map(|schema| (layout, schema)))
            else {
                let message = format!("the type of map `{}` is not known", map.name);
                diagnostics.push(Diagnostic::error("E0610", map.span, message));
                continue;
            };
            let most = super::layout::longest_key(unit.target.features);
            if layout.key_size > most {
                let message = format!("the key of `{}` takes {} bytes", map.name, layout.key_size);
                diagnostics.push(
                    Diagnostic::error("E0611", map.span, message)
                        .help(format!("at most {most} bytes: shorten strings with `str(p, length)` or `max_strlen`")),
                );
            }
            resources.maps.push(layout.definition(id, map, flags));
            resources.schema.maps.push(schema);
            resources.layouts.push(layout);
        }
        resources
    }

    /// A map of the script: its BPF map and layout.
    pub fn map(&self, map: Map) -> Option<(MapRef, MapLayout)> {
        Some((MapRef(u32::from(map.0)), self.layouts.get(usize::from(map.0))?.clone()))
    }

    /// Has the kernel allocate all elements of a map at the start, where that is not too much.
    pub fn preallocate(&mut self, map: Map, cpus: u32) {
        let Some((map, layout)) = self.map(map) else { return };
        let Some(def) = self.maps.get_mut(map.0 as usize) else { return };
        let copies = if layout.per_cpu() { u64::from(cpus) } else { 1 };
        let element = u64::from(def.key_size) + u64::from(def.value_size) * copies;
        if element * u64::from(def.max_entries) <= MOST_PREALLOCATED {
            def.flags &= !NO_PREALLOC;
        }
    }

    /// The number of an event; equal events share one.
    pub fn event(&mut self, kind: EventKind, size: u32) -> EventId {
        let schema = EventSchema { kind, size };
        let index = self.schema.events.iter().position(|known| *known == schema).unwrap_or_else(|| {
            self.schema.events.push(schema);
            self.schema.events.len() - 1
        });
        EventId(index as u32)
    }

    /// The ring buffer.
    pub fn events(&mut self) -> MapRef {
        match self.events {
            Some(map) => map,
            None => {
                let map = self.add("events", MapType::RingBuf, 0, 0, DATA_RING, 0, MapRole::Events);
                *self.events.insert(map)
            }
        }
    }

    /// The buffers of packets, one for each CPU.
    pub fn packets(&mut self) -> MapRef {
        match self.packets {
            Some(map) => map,
            None => {
                // The kernel makes as many elements as there are CPUs.
                let map = self.add("packets", MapType::PerfEventArray, 4, 4, 0, 0, MapRole::Packets);
                *self.packets.insert(map)
            }
        }
    }

    /// The counters of what was lost.
    pub fn lost(&mut self) -> MapRef {
        match self.lost {
            Some(map) => map,
            None => {
                let map = self.add("lost", MapType::PercpuArray, 4, 24, 1, 0, MapRole::Lost);
                *self.lost.insert(map)
            }
        }
    }

    /// The map of the stacks of as many frames, besides those of the tracing itself.
    pub fn stacks(&mut self, stack: &StackType) -> MapRef {
        let id = stack.map;
        if let Some((_, map)) = self.stacks.iter().find(|(known, _)| *known == id) {
            return *map;
        }
        let bytes = stack_bytes(stack);
        // As many as the longest addresses alone would be.
        let most = if stack.mode == StackMode::BuildId { STACKS * 8 / BUILD_ID_FRAME } else { STACKS };
        // Allocated at the start: a burst of new ones, with interrupts off, finds no memory for elements of this size.
        let map = self.add("stacks", MapType::Hash, 8, bytes, most, 0, MapRole::Stacks(id));
        self.stacks.push((id, map));
        map
    }

    /// What the kernel's tables say of return addresses.
    pub fn unwind_rules(&mut self) -> MapRef {
        match self.unwind_rules {
            Some(map) => map,
            None => {
                let map = self.add("unwind_rules", MapType::Array, 4, RULES, 1, 0, MapRole::Unwind);
                *self.unwind_rules.insert(map)
            }
        }
    }

    /// What processes' stacks are followed by.
    pub fn unwind_tables(&mut self) -> UnwindTables {
        use unwinding::{IMAGE_BYTES, MAPPED_BYTES, MOST_FILES, MOST_PROCESSES, REQUEST_RING};
        if let Some(tables) = self.unwind_tables {
            return tables;
        }
        let role = MapRole::UnwindTable;
        let (hash, array) = (MapType::HashOfMaps, MapType::ArrayOfMaps);
        let tables = UnwindTables {
            processes: self.add(
                "processes",
                hash,
                IMAGE_BYTES,
                4,
                MOST_PROCESSES,
                NO_PREALLOC,
                role(UnwindTable::Processes),
            ),
            files: self.add("files", array, 4, 4, MOST_FILES, 0, role(UnwindTable::Files)),
            requests: self.add("requests", MapType::RingBuf, 0, 0, REQUEST_RING, 0, role(UnwindTable::Requests)),
            asked: self.add("asked", MapType::LruHash, 8, 8, REQUESTS, 0, role(UnwindTable::Asked)),
        };
        for (map, bytes) in [(tables.processes, MAPPED_BYTES), (tables.files, 8)] {
            if let Some(def) = self.maps.get_mut(map.0 as usize) {
                def.inner_value_size = Some(bytes);
            }
        }
        *self.unwind_tables.insert(tables)
    }

    /// Three more 64-bit words about a program's walks of stacks, and where in the map's only value they are.
    pub fn walks(&mut self) -> (MapRef, u32) {
        let map = match self.walks {
            Some(map) => map,
            None => {
                let map = self.add("walks", MapType::Array, 4, 0, 1, 0, MapRole::Unwind);
                *self.walks.insert(map)
            }
        };
        let Some(def) = self.maps.get_mut(map.0 as usize) else { return (map, 0) };
        def.value_size += 24;
        (map, def.value_size - 24)
    }

    /// Working memory for one more program, and the index of its element.
    pub fn scratch(&mut self, bytes: u32) -> (MapRef, u32) {
        let map = match self.scratch {
            Some(map) => map,
            None => {
                let map = self.add("scratch", MapType::PercpuArray, 4, 8, 0, 0, MapRole::Scratch);
                *self.scratch.insert(map)
            }
        };
        self.more_scratch(map, bytes, 1)
    }

    /// The same for a program that needs more than the kernel gives to each CPU in one piece: the index of the first CPU's element,
    /// which those of the others follow.
    pub fn large_scratch(&mut self, bytes: u32, cpus: u32) -> (MapRef, u32) {
        let map = match self.large_scratch {
            Some(map) => map,
            None => {
                let map = self.add("large_scratch", MapType::Array, 4, 8, 0, 0, MapRole::Scratch);
                *self.large_scratch.insert(map)
            }
        };
        self.more_scratch(map, bytes, cpus)
    }

    /// So many more elements of at least this size, and the index of their first.
    fn more_scratch(&mut self, map: MapRef, bytes: u32, elements: u32) -> (MapRef, u32) {
        let Some(def) = self.maps.get_mut(map.0 as usize) else { return (map, 0) };
        def.value_size = def.value_size.max(bytes.next_multiple_of(8));
        def.max_entries += elements;
        (map, def.max_entries - elements)
    }

    /// When the session started, and the wall-clock time of booting, both in nanoseconds.
    pub fn start(&mut self) -> MapRef {
        match self.start {
            Some(map) => map,
            None => {
                let map = self.add("start", MapType::Array, 4, 16, 1, 0, MapRole::Start);
                *self.start.insert(map)
            }
        }
    }

    /// Whether the script has ended itself.
    pub fn ended(&mut self) -> MapRef {
        match self.ended {
            Some(map) => map,
            None => {
                let map = self.add("ended", MapType::Array, 4, 8, 1, 0, MapRole::Scratch);
                *self.ended.insert(map)
            }
        }
    }

    /// At least `bytes` zeros.
    pub fn zeros(&mut self, bytes: u32) -> MapRef {
        let map = match self.zeros {
            Some(map) => map,
            None => {
                let map = self.add("zeros", MapType::Array, 4, 8, 1, RDONLY_PROG, MapRole::Zeros);
                *self.zeros.insert(map)
            }
        };
        if let Some(def) = self.maps.get_mut(map.0 as usize) {
            def.value_size = def.value_size.max(bytes.next_multiple_of(8));
        }
        map
    }

    /// What the programs need, now that all of them are made.
    pub fn finish(mut self) -> (Vec<MapDef>, Schema) {
        let bytes = self.ring_buffer_bytes.unwrap_or_else(|| self.fitting_ring());
        if let Some(ring) = self.events.and_then(|map| self.maps.get_mut(map.0 as usize)) {
            ring.max_entries = bytes;
        }
        (self.maps, self.schema)
    }

    fn fitting_ring(&self) -> u32 {
        let commands = self.schema.events.iter().all(|event| {
            use EventKind::{Clear, Exit, HelperError, PrintMap, Time, Unwatch, Zero};
            let kind = &event.kind;
            matches!(
                kind,
                Clear(_) | Exit { .. } | HelperError { .. } | PrintMap { .. } | Time { .. } | Unwatch | Zero(_)
            )
        });
        if commands { COMMAND_RING } else { DATA_RING }
    }

    /// The system calls a program is about: their attach points' names by number, in `bytes` each.
    pub fn syscalls(&mut self, calls: &[(u32, Rc<str>)], bytes: u32) -> MapRef {
        let entries = calls.iter().map(|(number, _)| number + 1).max().unwrap_or(1);
        let map = self.add("syscalls", MapType::Array, 4, bytes, entries, RDONLY_PROG, MapRole::Syscalls);
        if let Some(def) = self.maps.get_mut(map.0 as usize) {
            let name = |name: &Rc<str>| name.bytes().take(bytes.saturating_sub(1) as usize).collect();
            def.contents = calls.iter().map(|(number, called)| (*number, name(called))).collect();
        }
        map
    }

    #[expect(clippy::too_many_arguments, reason = "they are the fields of a map's definition")]
    fn add(
        &mut self,
        name: &str,
        kind: MapType,
        key_size: u32,
        value_size: u32,
        max_entries: u32,
        flags: u32,
        role: MapRole,
    ) -> MapRef {
        let (name, inner_value_size, contents) = (name.into(), None, vec![]);
        let def = MapDef { name, kind, key_size, value_size, max_entries, flags, role, inner_value_size, contents };
        self.maps.push(def);
        MapRef(self.maps.len() as u32 - 1)
    }
}
