//! Adding snapshots up: many nodes' maps become one.
//!
//! [`merge`] and [`Merged::add`] are commutative and associative, and an empty snapshot changes nothing. Count, sum,
//! avg, stats and histograms add; min and max take the extreme. Plain values have no sum: [`Merged`] keeps them by node.
//!
//! Two nodes may compile one script differently. Maps that differ only in signedness merge as signed; where the kinds
//! do not fit together, one kind is kept, always the same one whatever the order, and the rows of the other are dropped
//! and told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bound::{Dropped, limit, limit_map};
use crate::snapshot::{Cell, Histogram, Key, Kind, MapData, Mean, Snapshot};
use crate::value::Value;

/// Adds `other` into `total`, leaving out maps of plain values.
pub fn merge(total: &mut Snapshot, other: &Snapshot) -> Dropped {
    let mut dropped = Dropped::default();
    for (name, map) in other.maps.iter().filter(|(_, map)| map.kind.merges()) {
        match total.maps.get_mut(name) {
            None => {
                total.maps.insert(name.clone(), map.clone());
            }
            Some(sum) => merge_map(name, sum, map, &mut dropped),
        }
    }
    dropped
}

fn merge_map(name: &str, sum: &mut MapData, map: &MapData, dropped: &mut Dropped) {
    match join(sum, map) {
        Some(kind) => sum.kind = kind,
        None if shape(map) > shape(sum) => {
            sum.rows.values().for_each(|cell| dropped.note(name, cell));
            *sum = map.clone();
            return;
        }
        None => {
            map.rows.values().for_each(|cell| dropped.note(name, cell));
            return;
        }
    }
    for (key, cell) in &map.rows {
        match sum.rows.get_mut(key) {
            Some(total) => {
                if let Err(Mismatch { lost }) = merge_cell(total, cell) {
                    dropped.note(name, &lost);
                }
            }
            None => {
                sum.rows.insert(key.clone(), cell.clone());
            }
        }
    }
}

/// What decides between kinds that do not fit together; signedness has no say, since merging may change it.
fn shape(map: &MapData) -> (bool, Kind) {
    (map.keyed, with_sign(map.kind, false))
}

/// The kind under which both maps' rows can stand.
fn join(a: &MapData, b: &MapData) -> Option<Kind> {
    if a.keyed != b.keyed {
        return None;
    }
    let signed = is_signed(a.kind) || is_signed(b.kind);
    let joined = with_sign(a.kind, signed);
    (joined == with_sign(b.kind, signed)).then_some(joined)
}

fn is_signed(kind: Kind) -> bool {
    match kind {
        Kind::Count | Kind::Value => false,
        Kind::Sum { signed }
        | Kind::Min { signed }
        | Kind::Max { signed }
        | Kind::Avg { signed }
        | Kind::Stats { signed }
        | Kind::Hist { signed, .. }
        | Kind::Lhist { signed, .. }
        | Kind::Tseries { signed, .. } => signed,
    }
}

fn with_sign(kind: Kind, signed: bool) -> Kind {
    match kind {
        Kind::Count | Kind::Value => kind,
        Kind::Sum { .. } => Kind::Sum { signed },
        Kind::Min { .. } => Kind::Min { signed },
        Kind::Max { .. } => Kind::Max { signed },
        Kind::Avg { .. } => Kind::Avg { signed },
        Kind::Stats { .. } => Kind::Stats { signed },
        Kind::Hist { bits, .. } => Kind::Hist { bits, signed },
        Kind::Lhist { min, max, step, .. } => Kind::Lhist { min, max, step, signed },
        Kind::Tseries { interval_ns, intervals, fold, .. } => Kind::Tseries { interval_ns, intervals, fold, signed },
    }
}

/// Two cells of different kinds, of which only the greater could stay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cells of different kinds do not add up")]
pub struct Mismatch {
    /// The cell that was left out.
    pub lost: Cell,
}

/// Adds one cell into another of the same kind. Of two plain values the greater stays.
pub fn merge_cell(total: &mut Cell, other: &Cell) -> Result<(), Mismatch> {
    match (&mut *total, other) {
        (Cell::Count(a), Cell::Count(b)) => *a = a.saturating_add(*b),
        (Cell::Sum(a), Cell::Sum(b)) => *a = a.wrapping_add(*b),
        (Cell::Min(a), Cell::Min(b)) => *a = extreme(*a, *b, Ord::min),
        (Cell::Max(a), Cell::Max(b)) => *a = extreme(*a, *b, Ord::max),
        (Cell::Avg(a), Cell::Avg(b)) | (Cell::Stats(a), Cell::Stats(b)) => merge_mean(a, b),
        (Cell::Hist(a), Cell::Hist(b)) | (Cell::Lhist(a), Cell::Lhist(b)) => merge_histogram(a, b),
        (Cell::Tseries(a), Cell::Tseries(b)) => a.merge(b),
        (Cell::Value(a), Cell::Value(b)) => {
            if *b > *a {
                a.clone_from(b);
            }
        }
        (a, b) if *b > *a => return Err(Mismatch { lost: std::mem::replace(a, b.clone()) }),
        (_, b) => return Err(Mismatch { lost: b.clone() }),
    }
    Ok(())
}

fn extreme(a: Option<i128>, b: Option<i128>, pick: fn(i128, i128) -> i128) -> Option<i128> {
    match (a, b) {
        (Some(a), Some(b)) => Some(pick(a, b)),
        (one, other) => one.or(other),
    }
}

fn merge_mean(total: &mut Mean, other: &Mean) {
    total.total = total.total.wrapping_add(other.total);
    total.count = total.count.saturating_add(other.count);
}

fn merge_histogram(total: &mut Histogram, other: &Histogram) {
    total.sum = total.sum.wrapping_add(other.sum);
    for (index, n) in &other.buckets {
        let sum = total.buckets.entry(*index).or_default();
        *sum = sum.saturating_add(*n);
    }
}

/// What many nodes' maps add up to, and beside it each node's plain values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Every map that merges, merged.
    pub total: Snapshot,
    /// The maps of plain values: by map name, then by node name.
    pub per_node: BTreeMap<String, BTreeMap<String, MapData>>,
}

impl Merged {
    /// Adds what one node's session holds.
    pub fn add(&mut self, node: &str, snapshot: &Snapshot) -> Dropped {
        for (name, map) in snapshot.maps.iter().filter(|(_, map)| !map.kind.merges()) {
            self.add_plain(name, node, map);
        }
        merge(&mut self.total, snapshot)
    }

    /// Adds another merged result, of other nodes or of other sessions.
    pub fn merge(&mut self, other: &Merged) -> Dropped {
        for (name, nodes) in &other.per_node {
            for (node, map) in nodes {
                self.add_plain(name, node, map);
            }
        }
        merge(&mut self.total, &other.total)
    }

    fn add_plain(&mut self, name: &str, node: &str, map: &MapData) {
        let nodes = self.per_node.entry(name.to_owned()).or_default();
        let Some(kept) = nodes.get_mut(node) else {
            nodes.insert(node.to_owned(), map.clone());
            return;
        };
        kept.keyed |= map.keyed;
        if map.zero > kept.zero {
            kept.zero.clone_from(&map.zero);
        }
        for (key, cell) in &map.rows {
            let row = kept.rows.entry(key.clone()).or_insert_with(|| cell.clone());
            if *cell > *row {
                row.clone_from(cell);
            }
        }
    }

    /// Keeps at most `max_rows` rows of each map, the largest. Of plain values every node keeps an equal share; where
    /// there are more nodes than rows, the first nodes in name order keep one row each.
    pub fn limit(&mut self, max_rows: usize) -> Dropped {
        let mut dropped = limit(&mut self.total, max_rows);
        for (name, nodes) in &mut self.per_node {
            let rows: usize = nodes.values().map(|map| map.rows.len()).sum();
            if rows <= max_rows {
                continue;
            }
            let share = (max_rows / nodes.len().max(1)).max(1);
            for (n, map) in nodes.values_mut().enumerate() {
                limit_map(name, map, if n < max_rows { share } else { 0 }, &mut dropped);
            }
        }
        dropped
    }

    /// As one snapshot: plain values get their node's name as the first component of their key.
    pub fn flatten(&self) -> Snapshot {
        let mut flat = self.total.clone();
        for (name, nodes) in &self.per_node {
            let map = flat.maps.entry(name.clone()).or_insert_with(|| MapData::empty(Kind::Value, true));
            if map.kind.merges() {
                continue;
            }
            for (node, plain) in nodes {
                map.rows.extend(plain.rows.iter().map(|(key, cell)| (prefixed(node, key), cell.clone())));
            }
        }
        flat
    }
}

fn prefixed(node: &str, key: &Key) -> Key {
    Key(std::iter::once(Value::from(node)).chain(key.0.iter().cloned()).collect())
}
