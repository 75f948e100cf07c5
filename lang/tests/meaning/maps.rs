//! BPF maps of the machine: keys and the addresses of their values.

use std::collections::BTreeMap;

use lang::compiled::MapDef;

/// One map.
pub struct Map {
    /// By key.
    pub elements: BTreeMap<Vec<u8>, u64>,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: usize,
}

impl Map {
    pub fn new(definition: &MapDef) -> Self {
        Self {
            elements: BTreeMap::new(),
            key_size: definition.key_size,
            value_size: definition.value_size,
            max_entries: definition.max_entries as usize,
        }
    }
}
