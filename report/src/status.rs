//! The compact form of a result, for a TraceJob's status.
//!
//! [`summarise`] keeps the largest rows of each map within [`Limits`] and says what it left out. Plain strings and
//! numbers only: 64-bit and wider numbers are decimal text, since JSON's readers are not to be trusted with them. The
//! full result is elsewhere.

use serde::{Deserialize, Serialize};

use crate::order::{Row, ordered};
use crate::render::text;
use crate::snapshot::{Cell, Histogram, Kind, MapData, Mean, Snapshot};

/// How much a summary may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maps.
    pub maps: usize,
    /// Rows of one map.
    pub rows_per_map: usize,
    /// Rows of all maps together.
    pub rows: usize,
    /// Bytes of one row's key or value in text; more is cut, with `..` behind.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { maps: 16, rows_per_map: 50, rows: 200, text: 1024 }
    }
}

/// The maps of a result, as far as limits allow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultMaps {
    /// The maps, in name order.
    pub maps: Vec<ResultMap>,
    /// Whether a map, a row or a text was left out or cut.
    #[serde(default)]
    pub truncated: bool,
}

/// One map of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultMap {
    /// The map's name with its sigil.
    pub name: String,
    /// What the rows are; of histograms with what tells their buckets' bounds.
    pub kind: Kind,
    /// The largest rows, largest first.
    pub entries: Vec<ResultEntry>,
    /// How many rows there are in all.
    pub total_entries: i64,
}

/// One row of a map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultEntry {
    /// The key's components as text; empty for a map without keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// The count, sum, min, max, average or plain value, as text; absent for histograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// How many values were observed: avg, stats and histograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// The sum of what was observed, in decimal: avg, stats and histograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
    /// The number of the first bucket in `counts`: histograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_index: Option<i32>,
    /// Observations by bucket, from `firstIndex` on without gaps: histograms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<i64>,
}

/// Summarises a snapshot within limits.
pub fn summarise(snapshot: &Snapshot, limits: &Limits) -> ResultMaps {
    let mut summary = ResultMaps { maps: Vec::new(), truncated: snapshot.maps.len() > limits.maps };
    let mut left = limits.rows;
    for (name, map) in snapshot.maps.iter().take(limits.maps) {
        let mut row_writer = RowWriter { limits, cut: false };
        let rows = ordered(map, Some(limits.rows_per_map.min(left)));
        left = left.saturating_sub(rows.len());
        summary.truncated |= rows.len() < map.rows.len();
        let entries = rows.into_iter().rev().map(|row| row_writer.entry(map, row)).collect();
        summary.truncated |= row_writer.cut;
        summary.maps.push(ResultMap {
            name: name.clone(),
            kind: map.kind,
            entries,
            total_entries: i64::try_from(map.rows.len()).unwrap_or(i64::MAX),
        });
    }
    summary
}

struct RowWriter<'a> {
    limits: &'a Limits,
    cut: bool,
}

impl RowWriter<'_> {
    fn entry(&mut self, map: &MapData, (key, cell): Row<'_>) -> ResultEntry {
        let key = key.0.iter().map(|component| self.cut(text::value(component))).collect();
        let entry = ResultEntry { key, ..ResultEntry::default() };
        match cell {
            Cell::Hist(histogram) | Cell::Lhist(histogram) => with_histogram(entry, map, histogram),
            Cell::Avg(mean) | Cell::Stats(mean) => with_mean(entry, mean),
            Cell::Tseries(series) => {
                let last = series.points.last_key_value().map(|(_, point)| point.value().to_string());
                ResultEntry { value: last, ..entry }
            }
            other => {
                let value = self.cut(text::cell(&map.kind, other, None));
                ResultEntry { value: Some(value), ..entry }
            }
        }
    }

    fn cut(&mut self, text: String) -> String {
        if text.len() <= self.limits.text {
            return text;
        }
        self.cut = true;
        let end = text.floor_char_boundary(self.limits.text);
        text.get(..end).unwrap_or_default().to_owned() + ".."
    }
}

fn with_mean(entry: ResultEntry, mean: &Mean) -> ResultEntry {
    ResultEntry {
        value: Some(mean.average().to_string()),
        count: Some(clamped(mean.count)),
        sum: Some(mean.total.to_string()),
        ..entry
    }
}

fn with_histogram(entry: ResultEntry, map: &MapData, histogram: &Histogram) -> ResultEntry {
    let span = map.kind.buckets().and_then(|buckets| buckets.span(histogram));
    let counts = span.map(|(first, last)| {
        (first..=last).map(|index| clamped(histogram.buckets.get(&index).copied().unwrap_or(0))).collect()
    });
    ResultEntry {
        count: Some(clamped(histogram.count())),
        sum: Some(histogram.sum.to_string()),
        first_index: span.map(|(first, _)| i32::try_from(first).unwrap_or(i32::MAX)),
        counts: counts.unwrap_or_default(),
        ..entry
    }
}

/// The API's integers are signed; nothing counts this far.
fn clamped(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
