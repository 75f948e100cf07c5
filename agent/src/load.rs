//! From compiled to loaded: creates the maps, puts them into the code, hands the code to the verifier.
//!
//! In: [`Compiled`]. Out: [`Loaded`], descriptors the kernel frees when they are dropped. Attaching is [`crate::attach`]'s,
//! reading [`crate::read`]'s. A refusal of the verifier is traced back to the line of the script it comes from.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use ::bpf::btf::functions;
use ::bpf::insn::{Insn, encode};
use aya::maps::{MapData, MapError, RingBuf};
use lang::compiled::{Compiled, MapDef, MapRole, Program, Relocation, UnwindTable};
use lang::span::Span;
use lang::target::TypesOf;
use report::schema::{MapId, StackMapId};
use rustix::time::{ClockId, clock_gettime};

use crate::packets::{Packets, PacketsError};
use crate::sys::btf;
use crate::sys::map::{Map, Request as MapRequest, possible_cpus};
use crate::sys::nested;
use crate::sys::program::{self, Refused, Request, Types};
use crate::sys::programs;
use crate::unwind::{self, Unwinder};

/// What the pseudo source of a `ld_imm64` says: the immediate is a map's descriptor.
const PSEUDO_MAP_FD: u8 = 1;
/// The same, and the second immediate is an offset into the map's only value.
const PSEUDO_MAP_VALUE: u8 = 2;

/// A script in the kernel, not yet attached.
pub struct Loaded {
    /// In the order of [`Compiled::programs`].
    pub programs: Vec<OwnedFd>,
    /// The maps user space reads.
    pub maps: Maps,
    /// Where events arrive, if the script has any.
    pub events: Option<RingBuf<MapData>>,
    /// Where packets arrive, if the script hands any over.
    pub packets: Option<Packets>,
    /// What makes the tables that the programs follow stacks by, if they do.
    pub unwinder: Option<Unwinder>,
}

/// The maps of a loaded script, by what they are for.
#[derive(Debug, Default)]
pub struct Maps {
    user: Vec<(MapId, Map)>,
    stacks: Vec<(StackMapId, Map)>,
    lost: Option<Map>,
}

impl Maps {
    /// The BPF map behind a map of the script.
    pub fn user(&self, id: MapId) -> Option<&Map> {
        self.user.iter().find(|(known, _)| *known == id).map(|(_, map)| map)
    }

    /// A map of stacks.
    pub fn stacks(&self, id: StackMapId) -> Option<&Map> {
        self.stacks.iter().find(|(known, _)| *known == id).map(|(_, map)| map)
    }

    /// The map of what was lost.
    pub fn lost(&self) -> Option<&Map> {
        self.lost.as_ref()
    }
}

/// The maps by which stacks are followed, until all are there.
#[derive(Default)]
struct Tables {
    processes: Option<Map>,
    files: Option<Map>,
    requests: Option<RingBuf<MapData>>,
    asked: Option<Map>,
}

impl Tables {
    fn put(&mut self, table: UnwindTable, map: Map, name: &str) -> Result<(), LoadError> {
        match table {
            UnwindTable::Processes => self.processes = Some(map),
            UnwindTable::Files => self.files = Some(map),
            UnwindTable::Asked => self.asked = Some(map),
            UnwindTable::Requests => {
                let ring = map.into_ring().map_err(|error| LoadError::Map { name: name.to_owned(), error })?;
                self.requests = Some(ring);
            }
        }
        Ok(())
    }

    fn complete(self) -> Option<unwind::Maps> {
        let Self { processes, files, requests, asked } = self;
        Some(unwind::Maps { processes: processes?, files: files?, requests: requests?, asked: asked? })
    }
}

/// Why a script could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A map could not be created.
    #[error("creating map {name}: {}", reason(error))]
    Map {
        /// The map's name in the kernel.
        name: String,
        /// Why.
        error: MapError,
    },
    /// The kernel refused a program.
    #[error(transparent)]
    Rejected(Box<Rejected>),
    /// The buffers of packets could not be made.
    #[error("the buffers of packets: {0}")]
    Packets(#[from] PacketsError),
    /// A map's contents could not be set.
    #[error("preparing map {name}: {error}")]
    Prepare {
        /// The map's name in the kernel.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// What the types of a module or of another program belong to cannot be had.
    #[error("the types of {of}: {error}")]
    Types {
        /// The module or program.
        of: String,
        /// Why.
        error: io::Error,
    },
    /// The compiler named a map or an instruction that is not there.
    #[error("instruction {instruction} of program {program} refers to a map that does not exist")]
    Dangling {
        /// The program's name.
        program: String,
        /// The instruction slot.
        instruction: usize,
    },
}

/// aya's error names the map again; only the cause is wanted.
fn reason(error: &MapError) -> String {
    match error {
        MapError::CreateError { io_error, .. } => io_error.to_string(),
        other => other.to_string(),
    }
}

/// A program the verifier, or a limit before it, refused.
#[derive(Debug, thiserror::Error)]
#[error("the kernel refused program {program}: {error}")]
pub struct Rejected {
    /// The program's name.
    pub program: String,
    /// What bpf(2) returned.
    pub error: io::Error,
    /// Where in the script the refused instruction comes from, if the verifier got that far.
    pub span: Option<Span>,
    /// What the verifier wrote.
    pub log: String,
}

/// Creates the maps and loads the programs.
pub fn load(compiled: &Compiled) -> Result<Loaded, LoadError> {
    let maps = compiled.maps.iter().map(create).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = compiled.programs.iter().map(|program| program.name.as_str()).collect();
    let types = program::load_types(&functions::of_functions(&names));
    let mut programs = Vec::with_capacity(compiled.programs.len());
    for (index, program) in compiled.programs.iter().enumerate() {
        programs.push(load_program(program, index, &maps, types.as_ref())?);
    }
    let mut loaded = Loaded { programs, maps: Maps::default(), events: None, packets: None, unwinder: None };
    let mut tables = Tables::default();
    for (map, definition) in maps.into_iter().zip(&compiled.maps) {
        match definition.role {
            MapRole::User(id) => loaded.maps.user.push((id, map)),
            MapRole::Stacks(id) => loaded.maps.stacks.push((id, map)),
            MapRole::Lost => loaded.maps.lost = Some(map),
            MapRole::Events => {
                let error = |error| LoadError::Map { name: definition.name.clone(), error };
                loaded.events = Some(map.into_ring().map_err(error)?);
            }
            MapRole::Packets => loaded.packets = Some(Packets::open(map)?),
            MapRole::UnwindTable(table) => tables.put(table, map, &definition.name)?,
            // The programs keep these alive, and nobody else looks at them.
            MapRole::Scratch | MapRole::Unwind | MapRole::Zeros | MapRole::Start | MapRole::Syscalls => {}
        }
    }
    loaded.unwinder = tables.complete().map(Unwinder::new);
    Ok(loaded)
}

fn create(definition: &MapDef) -> Result<Map, LoadError> {
    let MapDef { name, kind, key_size, value_size, max_entries, flags, role, inner_value_size, contents } = definition;
    let cpus = || possible_cpus().map_err(|error| LoadError::Prepare { name: name.clone(), error });
    let request = MapRequest {
        name,
        kind: *kind,
        key_size: *key_size,
        value_size: *value_size,
        max_entries: if *role == MapRole::Packets { cpus()? } else { *max_entries },
        flags: *flags,
    };
    let map = match inner_value_size {
        Some(size) => nested::create(&request, *size),
        None => Map::create(&request),
    };
    let map = map.map_err(|error| LoadError::Map { name: name.clone(), error })?;
    for (index, bytes) in contents {
        let mut value = bytes.clone();
        value.resize(*value_size as usize, 0);
        map.update(&index.to_ne_bytes(), &value).map_err(|error| LoadError::Prepare { name: name.clone(), error })?;
    }
    if *role == MapRole::Start {
        let (now, wall) = (nanoseconds(ClockId::Boottime), nanoseconds(ClockId::Realtime));
        let value = [now.to_ne_bytes(), wall.wrapping_sub(now).to_ne_bytes()].concat();
        map.update(&0u32.to_ne_bytes(), &value).map_err(|error| LoadError::Prepare { name: name.clone(), error })?;
    }
    if *role == MapRole::Zeros {
        // A new array is all zeroes already; frozen, the verifier takes it for a constant.
        map.freeze().map_err(|error| LoadError::Prepare { name: name.clone(), error })?;
    }
    Ok(map)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
}

/// Loads the program that is the `index`th of those that `own_types` tells of.
fn load_program(
    program: &Program,
    index: usize,
    maps: &[Map],
    own_types: Result<&OwnedFd, &io::Error>,
) -> Result<OwnedFd, LoadError> {
    let mut insns = program.insns.clone();
    for relocation in &program.relocations {
        relocate(&mut insns, relocation, maps)
            .ok_or_else(|| LoadError::Dangling { program: program.name.clone(), instruction: relocation.insn })?;
    }
    let code = encode(&insns);
    let types = match program.expected.as_ref().map(|expected| &expected.of) {
        Some(TypesOf::Module(module)) => {
            Some(types_of(module).map_err(|error| LoadError::Types { of: format!("module {module}"), error })?)
        }
        Some(TypesOf::Program(id)) => {
            Some(programs::open(*id).map_err(|error| LoadError::Types { of: format!("program {id}"), error })?)
        }
        Some(TypesOf::Kernel) | None => None,
    };
    let functions = functions::function_info(index, &program.functions);
    let own_types = match own_types {
        Ok(types) => Some(Types { of: types.as_fd(), functions: &functions }).filter(|_| !functions.is_empty()),
        // A program of one function is loaded without as well.
        Err(_) if program.functions.len() <= 1 => None,
        Err(error) => {
            let error = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            let refused = Refused { error, log: String::new() };
            return Err(LoadError::Rejected(Box::new(rejected(program, refused))));
        }
    };
    let request = Request {
        name: &program.name,
        kind: program.kind,
        code: &code,
        types: own_types,
        target: program.expected.as_ref().map(|expected| (expected.attach, expected.type_id)),
        owner: types.as_ref().map(AsFd::as_fd),
    };
    program::load(&request).map_err(|refused| LoadError::Rejected(Box::new(rejected(program, refused))))
}

fn types_of(module: &str) -> io::Result<OwnedFd> {
    btf::of_module(module)?.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not loaded, or has no types"))
}

fn relocate(insns: &mut [Insn], relocation: &Relocation, maps: &[Map]) -> Option<()> {
    let map = maps.get(relocation.map.0 as usize)?;
    let [first, second] = insns.get_mut(relocation.insn..)?.first_chunk_mut::<2>()?;
    first.imm = map.as_fd().as_raw_fd();
    match relocation.value_offset {
        None => first.src = PSEUDO_MAP_FD,
        Some(offset) => {
            first.src = PSEUDO_MAP_VALUE;
            second.imm = i32::try_from(offset).ok()?;
        }
    }
    Some(())
}

fn rejected(program: &Program, refused: Refused) -> Rejected {
    let span = refused_instruction(&refused.log).and_then(|at| program.spans.get(at)).copied();
    let lines: Vec<&str> = refused.log.lines().filter(|line| !is_statistics(line)).collect();
    let log = lines.join("\n");
    Rejected { program: program.name.clone(), error: refused.error, span, log }
}

/// The slot of the last instruction the verifier looked at: `12: (85) call bpf_map_lookup_elem#1`.
fn refused_instruction(log: &str) -> Option<usize> {
    log.lines().rev().find_map(|line| {
        let (slot, rest) = line.split_once(": (")?;
        rest.starts_with(|c: char| c.is_ascii_hexdigit()).then(|| slot.trim().parse().ok())?
    })
}

/// The lines that end each log, whatever it says.
fn is_statistics(line: &str) -> bool {
    line.starts_with("processed ") || line.starts_with("verification time ") || line.starts_with("stack depth ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refused_instruction_is_the_last_one_in_the_log() {
        let log = "func#0 @0\n0: R1=ctx() R10=fp0\n0: (79) r1 = *(u64 *)(r1 +8)\n\
                   12: (85) call bpf_map_lookup_elem#1\nR2 !read_ok\n\
                   processed 2 insns (limit 1000000) max_states_per_insn 0\n";
        assert_eq!(refused_instruction(log), Some(12));
        assert_eq!(refused_instruction(""), None);
    }
}
