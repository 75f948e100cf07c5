//! Map bytes to typed rows, as the schema says.
//!
//! [`decode_map`] takes what the agent read from the kernel, byte for byte, and yields [`MapData`]: per-CPU values are
//! reduced, keys and values typed, addresses and ids resolved through [`Symbols`]. Ring buffer records are
//! [`crate::event`]'s. Nothing here trusts the lengths it is given.
//!
//! Within a node, counts and totals wrap at 64 bits over its CPUs, as the kernel's own do; they widen only after.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::merge::merge_cell;
use crate::schema::{Field, MapSchema, Type, ValueKind};
use crate::series::{Fold, Point, Series, WORDS};
use crate::snapshot::{Cell, Histogram, Key, Kind, MapData, Mean};
use crate::symbols::{NoSymbols, Symbols};
use crate::value::{Stack, Text, Value};

/// What follows a string that filled its space without a NUL, where nothing else is said.
pub const TRUNCATION_TRAILER: &str = "..";

/// Bytes that are not what the schema says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Bytes end before the value does.
    #[error("{got} bytes at hand where the schema needs {needed}")]
    Short {
        /// Bytes needed.
        needed: usize,
        /// Bytes at hand.
        got: usize,
    },
    /// An integer of a width that does not exist.
    #[error("the schema has an integer of {0} bytes")]
    Width(u8),
    /// A plain value with one copy per CPU has no one value.
    #[error("map {0} holds plain values per CPU")]
    PerCpuValue(String),
    /// A record names an action the script does not have.
    #[error("the script has no event {0}")]
    UnknownEvent(u32),
    /// A record names a map the script does not have.
    #[error("the script has no map number {0}")]
    UnknownMap(u16),
    /// A format of the schema does not parse.
    #[error("format string: {0}")]
    Format(#[from] crate::printf::FormatError),
}

/// `len` bytes from `offset`.
pub(crate) fn slice(bytes: &[u8], offset: usize, len: usize) -> Result<&[u8], DecodeError> {
    let needed = offset.saturating_add(len);
    bytes.get(offset..needed).ok_or(DecodeError::Short { needed, got: bytes.len() })
}

/// A fixed number of bytes from `offset`.
pub(crate) fn array<const N: usize>(bytes: &[u8], offset: usize) -> Result<[u8; N], DecodeError> {
    let short = DecodeError::Short { needed: offset.saturating_add(N), got: bytes.len() };
    bytes.get(offset..).and_then(|rest| rest.first_chunk().copied()).ok_or(short)
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Result<u32, DecodeError> {
    Ok(u32::from_ne_bytes(array(bytes, offset)?))
}

fn u64_at(bytes: &[u8], offset: usize) -> Result<u64, DecodeError> {
    Ok(u64::from_ne_bytes(array(bytes, offset)?))
}

/// Decodes one value from the start of `bytes`; what follows it is ignored.
pub fn decode_value(ty: &Type, bytes: &[u8], symbols: &dyn Symbols) -> Result<Value, DecodeError> {
    Ok(match ty {
        Type::Int { bytes: width, signed: true } => Value::Int(signed(*width, bytes)?),
        Type::Int { bytes: width, signed: false } => Value::Uint(unsigned(*width, bytes)?),
        Type::Bits { bytes: size, signed, first, width } => {
            bit_field(unsigned(*size, bytes)?, *signed, u32::from(*first), u32::from(*width))
        }
        Type::Bool => Value::Bool(array::<1>(bytes, 0)? != [0]),
        Type::Pointer => Value::Pointer(u64_at(bytes, 0)?),
        Type::Str { size } => Value::Str(c_string(slice(bytes, 0, *size as usize)?, symbols.trailer(*size))),
        Type::Buf { capacity } => {
            let len = u32_at(bytes, 0)?.min(*capacity);
            Value::Buf(slice(bytes, 4, len as usize)?.to_vec())
        }
        Type::Inet => address(bytes)?,
        Type::Mac => Value::Mac(array(bytes, 0)?),
        Type::Ksym => Value::Symbol(symbols.ksym(u64_at(bytes, 0)?)),
        Type::Usym => Value::Symbol(symbols.usym(u32_at(bytes, 8)?, u64_at(bytes, 0)?)),
        Type::Kstack(stack) => {
            let id = u64_at(bytes, 0)?.cast_signed();
            let frames = if id < 0 { Vec::new() } else { symbols.kernel_stack(stack, id) };
            Value::Stack(Stack { mode: stack.mode, frames })
        }
        Type::Ustack(stack) => {
            let (id, pid) = (u64_at(bytes, 0)?.cast_signed(), u32_at(bytes, 8)?);
            let frames = if id < 0 { Vec::new() } else { symbols.user_stack(stack, id, pid) };
            Value::Stack(Stack { mode: stack.mode, frames })
        }
        Type::Enum { bytes: width, signed: is_signed, variants } => {
            let value = if *is_signed { signed(*width, bytes)? } else { unsigned(*width, bytes)?.cast_signed() };
            let name = variants.iter().find(|(number, _)| *number == value).map(|(_, name)| name.clone());
            Value::Enum { value, name }
        }
        Type::Name { bytes: width, signed: is_signed, names } => {
            let value = if *is_signed { signed(*width, bytes)? } else { unsigned(*width, bytes)?.cast_signed() };
            let name = names.iter().find(|(number, _)| *number == value).map(|(_, name)| name.clone());
            Value::Str(name.unwrap_or_else(|| value.to_string()).as_str().into())
        }
        Type::Timestamp { format } => {
            Value::Timestamp(crate::strftime::strftime(format, &symbols.wall_clock(u64_at(bytes, 0)?)))
        }
        Type::Username => Value::Username(symbols.username(u64_at(bytes, 0)?)),
        Type::CgroupPath => Value::CgroupPath(symbols.cgroup_path(u64_at(bytes, 0)?)),
        Type::Nothing => Value::Nothing(()),
        Type::Array { element, len } => Value::Array(elements(element, *len, bytes, symbols)?),
        Type::Tuple(fields) => Value::Tuple(decode_fields(fields, bytes, symbols)?),
        Type::Record(fields) => {
            let named = fields.iter().map(|(name, field)| Ok((name.clone(), decode_field(field, bytes, symbols)?)));
            Value::Record(named.collect::<Result<_, DecodeError>>()?)
        }
    })
}

/// Decodes a component where its offset says, counted from the start of `bytes`.
pub fn decode_field(field: &Field, bytes: &[u8], symbols: &dyn Symbols) -> Result<Value, DecodeError> {
    let offset = field.offset as usize;
    let rest = bytes.get(offset..).ok_or(DecodeError::Short { needed: offset, got: bytes.len() })?;
    decode_value(&field.ty, rest, symbols)
}

pub(crate) fn decode_fields(fields: &[Field], bytes: &[u8], symbols: &dyn Symbols) -> Result<Vec<Value>, DecodeError> {
    fields.iter().map(|field| decode_field(field, bytes, symbols)).collect()
}

fn bit_field(word: u64, signed: bool, first: u32, width: u32) -> Value {
    let width = width.clamp(1, 64);
    let raised = word.checked_shl(64u32.saturating_sub(first.saturating_add(width))).unwrap_or(0);
    if signed { Value::Int(raised.cast_signed() >> (64 - width)) } else { Value::Uint(raised >> (64 - width)) }
}

fn unsigned(width: u8, bytes: &[u8]) -> Result<u64, DecodeError> {
    Ok(match width {
        1 => u64::from(u8::from_ne_bytes(array(bytes, 0)?)),
        2 => u64::from(u16::from_ne_bytes(array(bytes, 0)?)),
        4 => u64::from(u32_at(bytes, 0)?),
        8 => u64_at(bytes, 0)?,
        other => return Err(DecodeError::Width(other)),
    })
}

fn signed(width: u8, bytes: &[u8]) -> Result<i64, DecodeError> {
    Ok(match width {
        1 => i64::from(i8::from_ne_bytes(array(bytes, 0)?)),
        2 => i64::from(i16::from_ne_bytes(array(bytes, 0)?)),
        4 => i64::from(u32_at(bytes, 0)?.cast_signed()),
        8 => u64_at(bytes, 0)?.cast_signed(),
        other => return Err(DecodeError::Width(other)),
    })
}

/// The text up to the NUL; without one it may have been cut off, which `trailer` says.
pub(crate) fn c_string(bytes: &[u8], trailer: &str) -> Text {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => Text(bytes.iter().take(end).copied().collect()),
        None if bytes.is_empty() => Text::default(),
        None => Text([bytes, trailer.as_bytes()].concat()),
    }
}

/// An address of any other family than IPv4 and IPv6 prints as nothing.
fn address(bytes: &[u8]) -> Result<Value, DecodeError> {
    Ok(match u32_at(bytes, 0)? {
        2 => Value::Inet(IpAddr::V4(Ipv4Addr::from(array::<4>(bytes, 4)?))),
        10 => Value::Inet(IpAddr::V6(Ipv6Addr::from(array::<16>(bytes, 4)?))),
        _ => Value::Str(Text::default()),
    })
}

fn elements(element: &Type, len: u32, bytes: &[u8], symbols: &dyn Symbols) -> Result<Vec<Value>, DecodeError> {
    let stride = element.size() as usize;
    if stride == 0 {
        return Ok(Vec::new());
    }
    let all = slice(bytes, 0, stride.saturating_mul(len as usize))?;
    all.chunks_exact(stride).map(|one| decode_value(element, one, symbols)).collect()
}

/// Decodes a key; one that is a tuple becomes the key of its components.
pub fn decode_key(schema: &MapSchema, key: &[u8], symbols: &dyn Symbols) -> Result<Key, DecodeError> {
    let mut values = decode_fields(&schema.key, key, symbols)?;
    match (values.pop(), values.is_empty()) {
        (Some(Value::Tuple(components)), true) => Ok(Key(components)),
        (last, _) => {
            values.extend(last);
            Ok(Key(values))
        }
    }
}

/// Decodes a whole map. Each row is the key's bytes and the value's: for a per-CPU map the values of all possible CPUs
/// one after the other, each [`MapSchema::value_size`] rounded up to 8.
///
/// Rows whose keys turn out equal (two stacks through the same functions) are added up; of plain values the last stays.
pub fn decode_map<K, V>(
    schema: &MapSchema,
    rows: impl IntoIterator<Item = (K, V)>,
    symbols: &dyn Symbols,
) -> Result<MapData, DecodeError>
where
    K: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let mut decoded: BTreeMap<Key, Cell> = BTreeMap::new();
    for (key, value) in rows {
        let Some(cell) = decode_cell(schema, value.as_ref(), symbols)? else { continue };
        match decoded.entry(decode_key(schema, key.as_ref(), symbols)?) {
            Entry::Vacant(row) => {
                row.insert(cell);
            }
            Entry::Occupied(mut row) if schema_merges(&schema.kind) => {
                // Both are of the schema's kind, so they do add up.
                let _ = merge_cell(row.get_mut(), &cell);
            }
            Entry::Occupied(mut row) => {
                row.insert(cell);
            }
        }
    }
    Ok(MapData { rows: decoded, zero: zero(schema), ..MapData::empty(Kind::from(&schema.kind), !schema.is_scalar()) })
}

fn schema_merges(kind: &ValueKind) -> bool {
    !matches!(kind, ValueKind::Value(_))
}

/// What an empty map without keys prints as, where that is not `0`.
fn zero(schema: &MapSchema) -> Option<Value> {
    match &schema.kind {
        ValueKind::Value(Type::Int { .. }) => None,
        ValueKind::Value(ty) if schema.is_scalar() => {
            // Zeroes are a negative stack id as little as a positive one, but no stack was taken.
            let bytes = vec![0; ty.size() as usize];
            match ty {
                Type::Kstack(stack) | Type::Ustack(stack) => {
                    Some(Value::Stack(Stack { mode: stack.mode, frames: Vec::new() }))
                }
                _ => decode_value(ty, &bytes, &NoSymbols).ok(),
            }
        }
        _ => None,
    }
}

/// Decodes one row's value; `None` for a map without keys that the script has not assigned yet.
pub fn decode_cell(schema: &MapSchema, value: &[u8], symbols: &dyn Symbols) -> Result<Option<Cell>, DecodeError> {
    let size = schema.value_size as usize;
    let stride = if schema.per_cpu { size.next_multiple_of(8) } else { size };
    let copies = if schema.per_cpu { value } else { slice(value, 0, size)? };
    if copies.len() < stride || stride == 0 {
        return Err(DecodeError::Short { needed: stride.max(1), got: value.len() });
    }
    let mut present = Vec::new();
    for copy in copies.chunks_exact(stride) {
        if !schema.is_scalar() {
            present.push(copy);
            continue;
        }
        let payload = size.checked_sub(8).ok_or(DecodeError::Short { needed: 8, got: size })?;
        if u64_at(copy, payload)? != 0 {
            present.push(slice(copy, 0, payload)?);
        }
    }
    match (&schema.kind, present.as_slice()) {
        (_, []) => Ok(None),
        (ValueKind::Value(ty), [one]) => Ok(Some(Cell::Value(decode_value(ty, one, symbols)?))),
        (ValueKind::Value(_), _) => Err(DecodeError::PerCpuValue(schema.name.clone())),
        (kind, copies) => reduce(kind, copies).map(Some),
    }
}

/// Adds up what the CPUs hold.
fn reduce(kind: &ValueKind, copies: &[&[u8]]) -> Result<Cell, DecodeError> {
    Ok(match *kind {
        ValueKind::Count => Cell::Count(total(copies, 0)?),
        ValueKind::Sum { signed } => Cell::Sum(widen(total(copies, 0)?, signed)),
        ValueKind::Min { signed } => Cell::Min(observed(copies, signed)?.into_iter().min()),
        ValueKind::Max { signed } => Cell::Max(observed(copies, signed)?.into_iter().max()),
        ValueKind::Avg { signed } => Cell::Avg(mean(copies, signed)?),
        ValueKind::Stats { signed } => Cell::Stats(mean(copies, signed)?),
        ValueKind::Hist { signed, .. } => Cell::Hist(histogram(copies, signed)?),
        ValueKind::Lhist { signed, .. } => Cell::Lhist(histogram(copies, signed)?),
        ValueKind::Tseries { intervals, fold, signed, .. } => Cell::Tseries(series(copies, intervals, fold, signed)?),
        // Plain values are decoded before anything is reduced.
        ValueKind::Value(_) => Cell::Count(0),
    })
}

fn total(copies: &[&[u8]], word: usize) -> Result<u64, DecodeError> {
    copies.iter().try_fold(0u64, |sum, copy| Ok(sum.wrapping_add(u64_at(copy, word.saturating_mul(8))?)))
}

fn widen(word: u64, signed: bool) -> i128 {
    if signed { i128::from(word.cast_signed()) } else { i128::from(word) }
}

fn mean(copies: &[&[u8]], signed: bool) -> Result<Mean, DecodeError> {
    Ok(Mean { total: widen(total(copies, 0)?, signed), count: total(copies, 1)? })
}

/// The extremes of those CPUs that saw anything.
fn observed(copies: &[&[u8]], signed: bool) -> Result<Vec<i128>, DecodeError> {
    let mut values = Vec::with_capacity(copies.len());
    for copy in copies {
        if u64_at(copy, 8)? != 0 {
            values.push(widen(u64_at(copy, 0)?, signed));
        }
    }
    Ok(values)
}

fn histogram(copies: &[&[u8]], signed: bool) -> Result<Histogram, DecodeError> {
    let mut histogram = Histogram::default();
    for copy in copies {
        histogram.sum += widen(u64_at(copy, 0)?, signed);
        let (words, _) = slice(copy, 8, copy.len().saturating_sub(8))?.as_chunks::<8>();
        for (index, word) in (0u32..).zip(words) {
            let n = u64::from_ne_bytes(*word);
            if n > 0 {
                let sum = histogram.buckets.entry(index).or_default();
                *sum = sum.saturating_add(n);
            }
        }
    }
    Ok(histogram)
}

fn series(copies: &[&[u8]], intervals: u32, fold: Fold, signed: bool) -> Result<Series, DecodeError> {
    let mut series = Series::new(intervals);
    for copy in copies {
        for slot in 0..intervals as usize {
            let word = |n: usize| u64_at(copy, slot.saturating_mul(WORDS as usize).saturating_add(n).saturating_mul(8));
            let Some(interval) = word(0)?.checked_sub(1) else { continue };
            // bpftrace takes the first interval of 1970 for one without observations; no clock shows it.
            let value = if interval == 0 { 0 } else { widen(word(1)?, signed) };
            let point = match fold {
                Fold::Last => Point::Last { at: word(2)?, value },
                Fold::Sum => Point::Sum(value),
                Fold::Min => Point::Min(value),
                Fold::Max => Point::Max(value),
                Fold::Avg => Point::Avg(Mean { total: value, count: word(2)? }),
            };
            series.add(interval, point);
        }
    }
    Ok(series)
}
