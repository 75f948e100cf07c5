//! Reads, clears and zeroes the maps of a loaded script.
//!
//! Bytes come from the kernel in batches and go to `report` to be understood. Nothing here interprets them, beyond the presence
//! word that the schema puts at the end of a scalar map's values.

use std::collections::BTreeMap;
use std::io;

use report::decode::{DecodeError, decode_cell, decode_map};
use report::schema::{MapId, MapSchema, Schema};
use report::snapshot::{Cell, MapData, Snapshot};
use report::symbols::Symbols;

use crate::load::Maps;
use crate::sys::map::Map;

/// The key of an array's only element.
const ONLY: [u8; 4] = [0; 4];

/// Why a map could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The kernel refused.
    #[error("map {name}: {error}")]
    Kernel {
        /// The map's name in the script.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// The bytes are not what the schema says.
    #[error("map {name}: {error}")]
    Decode {
        /// The map's name in the script.
        name: String,
        /// Why.
        error: DecodeError,
    },
    /// The script has no such map.
    #[error("the script has no map number {0}")]
    Unknown(u16),
}

/// What was lost since the script was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Events that found the ring buffer full.
    pub events: u64,
    /// Stacks that found no place.
    pub stacks: u64,
    /// Elements that found their map full.
    pub elements: u64,
}

/// One map of a loaded script, with what its bytes mean.
#[derive(Clone, Copy, Debug)]
pub struct UserMap<'a> {
    schema: &'a MapSchema,
    map: &'a Map,
}

impl<'a> UserMap<'a> {
    /// Finds a map of the script.
    pub fn of(schema: &'a Schema, maps: &'a Maps, id: MapId) -> Result<Self, ReadError> {
        let schema = schema.maps.get(usize::from(id.0)).ok_or(ReadError::Unknown(id.0))?;
        let map = maps.user(id).ok_or(ReadError::Unknown(id.0))?;
        Ok(Self { schema, map })
    }

    /// Its name in the script.
    pub fn name(&self) -> &'a str {
        &self.schema.name
    }

    /// What it holds now.
    pub fn read(&self, symbols: &dyn Symbols) -> Result<MapData, ReadError> {
        if self.schema.is_scalar() {
            let value = self.kernel(self.map.lookup(&ONLY))?;
            return self.decoded(decode_map(self.schema, value.map(|value| (ONLY, value)), symbols));
        }
        let elements = self.kernel(self.map.elements())?;
        self.decoded(decode_map(self.schema, elements.iter(), symbols))
    }

    /// What it holds under one key, given as bytes; `None` where there is no such row.
    pub fn read_row(&self, key: &[u8], symbols: &dyn Symbols) -> Result<Option<Cell>, ReadError> {
        match self.kernel(self.map.lookup(key))? {
            Some(value) => self.decoded(decode_cell(self.schema, &value, symbols)),
            None => Ok(None),
        }
    }

    /// Removes every row.
    pub fn clear(&self) -> Result<(), ReadError> {
        if self.schema.is_scalar() {
            return self.kernel(self.map.update(&ONLY, &vec![0; self.map.value_size()]));
        }
        for key in self.keys()?.chunks_exact(self.map.key_size().max(1)) {
            self.kernel(self.map.delete(key))?;
        }
        Ok(())
    }

    /// Zeroes every row, and keeps it.
    pub fn zero(&self) -> Result<(), ReadError> {
        if self.schema.is_scalar() {
            let Some(mut value) = self.kernel(self.map.lookup(&ONLY))? else { return Ok(()) };
            zero_payload(&mut value, self.schema.value_size.next_multiple_of(8) as usize);
            return self.kernel(self.map.update(&ONLY, &value));
        }
        let zeros = vec![0; self.map.value_size()];
        for key in self.keys()?.chunks_exact(self.map.key_size().max(1)) {
            self.kernel(self.map.replace(key, &zeros))?;
        }
        Ok(())
    }

    fn keys(&self) -> Result<Vec<u8>, ReadError> {
        self.kernel(self.map.keys())
    }

    fn kernel<T>(&self, result: io::Result<T>) -> Result<T, ReadError> {
        result.map_err(|error| ReadError::Kernel { name: self.schema.name.clone(), error })
    }

    fn decoded<T>(&self, result: Result<T, DecodeError>) -> Result<T, ReadError> {
        result.map_err(|error| ReadError::Decode { name: self.schema.name.clone(), error })
    }
}

/// Zeroes each CPU's value but its last word, which says that there is one.
fn zero_payload(value: &mut [u8], stride: usize) {
    for copy in value.chunks_exact_mut(stride.max(8)) {
        let payload = copy.len() - 8;
        if let Some(payload) = copy.get_mut(..payload) {
            payload.fill(0);
        }
    }
}

/// What all maps of the script hold now. The maps are read one after the other: events between two reads show in the later one.
pub fn snapshot(schema: &Schema, maps: &Maps, symbols: &dyn Symbols) -> Result<Snapshot, ReadError> {
    let mut all = BTreeMap::new();
    for index in 0..schema.maps.len() {
        let map = UserMap::of(schema, maps, MapId(index as u16))?;
        all.insert(map.name().to_owned(), map.read(symbols)?);
    }
    Ok(Snapshot { maps: all })
}

/// What was lost until now, over all CPUs.
pub fn lost(maps: &Maps) -> Result<Lost, ReadError> {
    let Some(map) = maps.lost() else { return Ok(Lost::default()) };
    let read = map.lookup(&ONLY).map_err(|error| ReadError::Kernel { name: "lost".to_owned(), error })?;
    let value = read.unwrap_or_default();
    let (words, _) = value.as_chunks::<8>();
    let mut lost = Lost::default();
    for cpu in words.chunks_exact(3) {
        if let [events, stacks, elements] = cpu {
            lost.events += u64::from_ne_bytes(*events);
            lost.stacks += u64::from_ne_bytes(*stacks);
            lost.elements += u64::from_ne_bytes(*elements);
        }
    }
    Ok(lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeroing_a_scalar_keeps_the_word_that_says_it_is_there() {
        let mut value: Vec<u8> = [7u64, 1, 9, 0].iter().flat_map(|word| word.to_ne_bytes()).collect();
        zero_payload(&mut value, 16);
        let expected: Vec<u8> = [0u64, 1, 0, 0].iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(value, expected);
    }
}
