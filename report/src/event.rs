//! Ring buffer records to typed actions.
//!
//! [`decode_event`] turns one record into an [`Event`] with all its text formatted. Doing what it asks (printing,
//! clearing a map, running a command, ending the session) is left to the agent.

use crate::decode::{DecodeError, array, c_string, decode_field, decode_fields, decode_key, slice, u32_at};
use crate::printf::Format;
use crate::schema::{EventKind, Field, MapId, MapSchema, Part, PrintfTo, Schema};
use crate::snapshot::Key;
use crate::symbols::Symbols;
use crate::value::{Text, Value};

/// What one record asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Print text as it is, without a newline of its own.
    Printf {
        /// Where to.
        to: PrintfTo,
        /// The formatted text.
        text: Text,
    },
    /// Print a value on a line of its own.
    PrintValue(Value),
    /// Print a map.
    PrintMap {
        /// Which.
        map: MapId,
        /// Only the largest so many rows.
        top: Option<usize>,
        /// Divide what is printed.
        div: Option<u64>,
    },
    /// Print one row's value.
    PrintKey {
        /// Which map.
        map: MapId,
        /// The key's bytes, to look the row up with.
        bytes: Vec<u8>,
        /// The key, typed.
        key: Key,
    },
    /// Remove every row of a map.
    Clear(MapId),
    /// Zero every row of a map.
    Zero(MapId),
    /// Print the time of day.
    Time {
        /// As [`crate::strftime::time`] takes it.
        format: String,
    },
    /// End the session.
    Exit {
        /// The process's exit code.
        code: i32,
    },
    /// Print joined arguments on a line of their own.
    Join(Text),
    /// Print a file.
    Cat {
        /// The file's path.
        path: Text,
    },
    /// Run a shell command and print what it prints.
    System {
        /// The command line.
        command: Text,
    },
    /// End the watchpoints at an address.
    Unwatch {
        /// What they watch.
        address: u64,
    },
    /// Write a packet to a file.
    Packet(Packet),
    /// A warning: something failed inside the kernel.
    HelperError(HelperError),
}

/// A packet on its way to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The file.
    pub path: String,
    /// When it was seen, in nanoseconds since boot.
    pub nanoseconds: u64,
    /// What is to be written of it.
    pub bytes: Vec<u8>,
}

/// A helper that failed, and where in the script it was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperError {
    /// The helper's name: `map_update_elem`.
    pub helper: String,
    /// What went wrong, for people.
    pub message: String,
    /// What it returned; negative errno.
    pub code: i32,
    /// The call.
    pub at: Part,
}

/// Decodes one record.
pub fn decode_event(schema: &Schema, record: &[u8], symbols: &dyn Symbols) -> Result<Event, DecodeError> {
    let id = u32_at(record, 0)?;
    let event = schema.events.get(id as usize).ok_or(DecodeError::UnknownEvent(id))?;
    Ok(match &event.kind {
        EventKind::Printf { to, format, args } => {
            Event::Printf { to: *to, text: formatted(format, args, record, symbols)? }
        }
        EventKind::PrintValue(field) => Event::PrintValue(decode_field(field, record, symbols)?),
        EventKind::PrintMap { map, top, div } => Event::PrintMap {
            map: *map,
            top: (*top > 0).then(|| usize::try_from(*top).unwrap_or(usize::MAX)),
            div: (*div > 0).then_some(*div),
        },
        EventKind::PrintKey { map, key_offset } => {
            let of = map_schema(schema, *map)?;
            let bytes = slice(record, *key_offset as usize, of.key_size as usize)?;
            Event::PrintKey { map: *map, bytes: bytes.to_vec(), key: decode_key(of, bytes, symbols)? }
        }
        EventKind::Clear(map) => Event::Clear(*map),
        EventKind::Zero(map) => Event::Zero(*map),
        EventKind::Time { format } => Event::Time { format: format.clone() },
        EventKind::Exit { code_offset } => {
            Event::Exit { code: i32::from_ne_bytes(array(record, *code_offset as usize)?) }
        }
        EventKind::Join { delimiter, slots, slot_size } => Event::Join(joined(delimiter, *slots, *slot_size, record)?),
        EventKind::Cat { format, args } => Event::Cat { path: formatted(format, args, record, symbols)? },
        EventKind::System { format, args } => Event::System { command: formatted(format, args, record, symbols)? },
        EventKind::Unwatch => Event::Unwatch { address: u64::from_ne_bytes(array(record, 8)?) },
        EventKind::Packet { path, skip } => Event::Packet(packet(path, *skip, record)?),
        EventKind::HelperError { helper, message, at } => Event::HelperError(HelperError {
            helper: helper.clone(),
            message: message.clone(),
            code: i32::from_ne_bytes(array(record, 8)?),
            at: *at,
        }),
    })
}

fn packet(path: &str, skip: u64, record: &[u8]) -> Result<Packet, DecodeError> {
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let length = u64::from_ne_bytes(array(record, 16)?);
    let whole = slice(record, PACKET_START, size(length))?;
    let bytes = whole.get(size(skip)..).unwrap_or_default().to_vec();
    Ok(Packet { path: path.to_owned(), nanoseconds: u64::from_ne_bytes(array(record, 8)?), bytes })
}

/// Where in a record a packet starts.
pub const PACKET_START: usize = 24;

fn map_schema(schema: &Schema, map: MapId) -> Result<&MapSchema, DecodeError> {
    schema.maps.get(usize::from(map.0)).ok_or(DecodeError::UnknownMap(map.0))
}

fn formatted(format: &str, args: &[Field], record: &[u8], symbols: &dyn Symbols) -> Result<Text, DecodeError> {
    Ok(Format::parse(format)?.render(&decode_fields(args, record, symbols)?))
}

fn joined(delimiter: &str, slots: u32, slot_size: u32, record: &[u8]) -> Result<Text, DecodeError> {
    let count = u32_at(record, 8)?.min(slots) as usize;
    let size = slot_size as usize;
    let mut text = Vec::new();
    for slot in 0..count {
        if slot > 0 {
            text.extend_from_slice(&crate::raw::bytes(delimiter));
        }
        text.extend(
            c_string(
                slice(record, slot.saturating_mul(size).saturating_add(16), size)?,
                crate::decode::TRUNCATION_TRAILER,
            )
            .0,
        );
    }
    Ok(Text(text))
}
