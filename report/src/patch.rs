//! The difference between two snapshots of one session.
//!
//! A patch names the rows that changed with what they hold *now*, and the keys that are gone; never increments. So
//! applying one twice, or over a later state of the same rows, does no harm: `apply(old, diff(old, new)) == new`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::snapshot::{Cell, Key, MapData, Snapshot};

/// What changed between two snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// Maps with changes, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub maps: BTreeMap<String, MapPatch>,
    /// Maps that are gone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<String>,
}

/// What changed in one map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapPatch {
    /// Whether the map is new or became another kind of map: whatever rows were there are void.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// The map's description, with the changed rows alone.
    pub changed: MapData,
    /// Keys that are gone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<Key>,
}

impl Patch {
    /// The patch that makes `snapshot` out of nothing.
    pub fn full(snapshot: &Snapshot) -> Patch {
        diff(&Snapshot::default(), snapshot)
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.maps.is_empty() && self.removed.is_empty()
    }

    /// How many rows it carries, removals included.
    pub fn rows(&self) -> usize {
        self.maps.values().map(|map| map.changed.rows.len() + map.removed.len()).sum()
    }
}

/// What turns `old` into `new`.
pub fn diff(old: &Snapshot, new: &Snapshot) -> Patch {
    let maps = new.maps.iter().filter_map(|(name, map)| Some((name.clone(), diff_map(old.maps.get(name), map)?)));
    let removed = old.maps.keys().filter(|name| !new.maps.contains_key(*name));
    Patch { maps: maps.collect(), removed: removed.cloned().collect() }
}

fn diff_map(old: Option<&MapData>, new: &MapData) -> Option<MapPatch> {
    let Some(old) = old.filter(|old| old.same_shape(new) && old.zero == new.zero) else {
        return Some(MapPatch { fresh: true, changed: new.clone(), removed: BTreeSet::new() });
    };
    let changed: BTreeMap<Key, Cell> = new
        .rows
        .iter()
        .filter(|(key, cell)| old.rows.get(*key) != Some(*cell))
        .map(|(key, cell)| (key.clone(), cell.clone()))
        .collect();
    let removed: BTreeSet<Key> = old.rows.keys().filter(|key| !new.rows.contains_key(*key)).cloned().collect();
    let differs = !changed.is_empty() || !removed.is_empty();
    let description = MapData { kind: new.kind, keyed: new.keyed, zero: new.zero.clone(), rows: changed };
    differs.then_some(MapPatch { fresh: false, changed: description, removed })
}

/// Brings `snapshot` up to date. A patch for a map of another kind than the snapshot's replaces it.
pub fn apply(snapshot: &mut Snapshot, patch: &Patch) {
    for name in &patch.removed {
        snapshot.maps.remove(name);
    }
    for (name, map_patch) in &patch.maps {
        match snapshot.maps.get_mut(name) {
            Some(map) if !map_patch.fresh && map.same_shape(&map_patch.changed) => apply_map(map, map_patch),
            _ => {
                snapshot.maps.insert(name.clone(), map_patch.changed.clone());
            }
        }
    }
}

fn apply_map(map: &mut MapData, patch: &MapPatch) {
    for key in &patch.removed {
        map.rows.remove(key);
    }
    map.rows.extend(patch.changed.rows.iter().map(|(key, cell)| (key.clone(), cell.clone())));
}

/// Whether every row is of the kind its map claims: to be asked of what came over the network.
pub fn is_sound(patch: &Patch) -> bool {
    patch.maps.values().all(|map| {
        let kind = &map.changed.kind;
        map.changed.rows.iter().all(|(key, cell)| cell.is_of(kind) && key.0.is_empty() != map.changed.keyed)
    })
}
