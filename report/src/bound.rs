//! Keeping a snapshot within bounds, and telling what that cost.
//!
//! Nothing leaves silently: whoever drops rows gets a [`Dropped`] to count and show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::order::ordered;
use crate::snapshot::{Cell, Key, MapData, Snapshot};

/// What fell out, by map name.
#[must_use = "what was dropped is to be counted and shown"]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dropped {
    /// Only maps that lost something.
    pub maps: BTreeMap<String, DroppedRows>,
}

/// What one map lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedRows {
    /// How many rows.
    pub rows: u64,
    /// What they held, as [`mass`] weighs it.
    #[serde(with = "crate::wire::wide")]
    pub mass: i128,
}

impl Dropped {
    /// Whether nothing was dropped.
    pub fn is_empty(&self) -> bool {
        self.maps.is_empty()
    }

    /// All rows dropped, whatever the map.
    pub fn rows(&self) -> u64 {
        self.maps.values().fold(0, |sum, map| sum.saturating_add(map.rows))
    }

    /// Adds what another step dropped.
    pub fn add(&mut self, other: Dropped) {
        for (name, lost) in other.maps {
            let sum = self.maps.entry(name).or_default();
            sum.rows = sum.rows.saturating_add(lost.rows);
            sum.mass = sum.mass.wrapping_add(lost.mass);
        }
    }

    pub(crate) fn note(&mut self, map: &str, cell: &Cell) {
        let sum = self.maps.entry(map.to_owned()).or_default();
        sum.rows = sum.rows.saturating_add(1);
        sum.mass = sum.mass.wrapping_add(mass(cell));
    }
}

/// What a row stands for: observations for count, avg, stats and histograms, the total for sum, nothing for the others.
pub fn mass(cell: &Cell) -> i128 {
    match cell {
        Cell::Count(n) => i128::from(*n),
        Cell::Sum(total) => *total,
        Cell::Avg(mean) | Cell::Stats(mean) => i128::from(mean.count),
        Cell::Hist(histogram) | Cell::Lhist(histogram) => i128::from(histogram.count()),
        Cell::Min(_) | Cell::Max(_) | Cell::Tseries(_) | Cell::Value(_) => 0,
    }
}

/// Keeps the `max_rows` largest rows of each map, largest as [`crate::order`] has it.
pub fn limit(snapshot: &mut Snapshot, max_rows: usize) -> Dropped {
    let mut dropped = Dropped::default();
    for (name, map) in &mut snapshot.maps {
        limit_map(name, map, max_rows, &mut dropped);
    }
    dropped
}

pub(crate) fn limit_map(name: &str, map: &mut MapData, max_rows: usize, dropped: &mut Dropped) {
    for key in smallest(map, max_rows) {
        if let Some(cell) = map.rows.remove(&key) {
            dropped.note(name, &cell);
        }
    }
}

fn smallest(map: &MapData, max_rows: usize) -> Vec<Key> {
    let excess = map.rows.len().saturating_sub(max_rows);
    if excess == 0 {
        return Vec::new();
    }
    ordered(map, None).into_iter().take(excess).map(|(key, _)| key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn the_smallest_rows_leave_and_are_counted() {
        let rows = [("a", 5), ("b", 1), ("c", 9)].map(|(key, n)| (Key::from([key]), Cell::Count(n)));
        let map = MapData { rows: rows.into(), ..MapData::empty(Kind::Count, true) };
        let mut snapshot = Snapshot { maps: [("@".to_owned(), map)].into() };
        let dropped = limit(&mut snapshot, 1);
        assert_eq!(dropped.maps.get("@"), Some(&DroppedRows { rows: 2, mass: 6 }));
        let kept: Vec<_> = snapshot.maps.values().flat_map(|map| map.rows.keys().cloned()).collect();
        assert_eq!(kept, [Key::from(["c"])]);
        assert!(limit(&mut snapshot, 1).is_empty());
    }
}
