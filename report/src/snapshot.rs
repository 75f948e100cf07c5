//! What a script's maps hold at one moment, typed and symbolised.
//!
//! A [`Snapshot`] carries all that merging and printing need; nobody asks the schema again. [`crate::decode`] makes
//! snapshots, [`crate::merge`] adds them up, [`crate::patch`] tells two apart, [`crate::render`] prints them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::buckets::Buckets;
use crate::hist::Log2;
use crate::lhist::Linear;
use crate::schema::ValueKind;
use crate::series::{Fold, Series};
use crate::value::Value;
use crate::wire;

/// The maps of one script, by name (with the sigil).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot {
    /// Every map of the script, empty ones too.
    pub maps: BTreeMap<String, MapData>,
}

/// One map's rows, and how to read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapData {
    /// What the rows are.
    pub kind: Kind,
    /// Whether rows have a key. A map without keys holds at most one row, under the empty key.
    pub keyed: bool,
    /// What an empty map without keys prints as; of plain values only, absent for integers (they print 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero: Option<Value>,
    /// The rows. Every cell is of the map's kind.
    #[serde(with = "wire::pairs")]
    pub rows: BTreeMap<Key, Cell>,
}

impl MapData {
    /// A map without rows.
    pub fn empty(kind: Kind, keyed: bool) -> Self {
        MapData { kind, keyed, zero: None, rows: BTreeMap::new() }
    }

    /// Whether rows of `other` may stand beside rows of this map: the same kind, the same shape.
    pub fn same_shape(&self, other: &MapData) -> bool {
        self.kind == other.kind && self.keyed == other.keyed
    }
}

/// A row's key: one value, or several. Empty in a map without keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub Vec<Value>);

impl<V: Into<Value>, const N: usize> From<[V; N]> for Key {
    fn from(values: [V; N]) -> Self {
        Key(values.into_iter().map(Into::into).collect())
    }
}

/// What a map's cells are: how they merge, sort and print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the fields are those of ValueKind, where they are told")]
pub enum Kind {
    /// `count()`.
    Count,
    /// `sum()`.
    Sum { signed: bool },
    /// `min()`.
    Min { signed: bool },
    /// `max()`.
    Max { signed: bool },
    /// `avg()`.
    Avg { signed: bool },
    /// `stats()`.
    Stats { signed: bool },
    /// `hist()`.
    Hist { bits: u8, signed: bool },
    /// `lhist()`.
    Lhist { min: i64, max: i64, step: i64, signed: bool },
    /// `tseries()`.
    Tseries { interval_ns: u64, intervals: u32, fold: Fold, signed: bool },
    /// A plain assigned value: kept per node, never merged.
    Value,
}

impl Kind {
    /// The kind's one-word name, as in the glossary: `count`, `hist`, `value`.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Count => "count",
            Kind::Sum { .. } => "sum",
            Kind::Min { .. } => "min",
            Kind::Max { .. } => "max",
            Kind::Avg { .. } => "avg",
            Kind::Stats { .. } => "stats",
            Kind::Hist { .. } => "hist",
            Kind::Lhist { .. } => "lhist",
            Kind::Tseries { .. } => "tseries",
            Kind::Value => "value",
        }
    }

    /// The buckets of `hist` and `lhist`; `None` for the others.
    pub fn buckets(&self) -> Option<Buckets> {
        match *self {
            Kind::Hist { bits, .. } => Some(Buckets::Log2(Log2 { bits })),
            Kind::Lhist { min, max, step, .. } => Some(Buckets::Linear(Linear { min, max, step })),
            _ => None,
        }
    }

    /// Whether cells add up across nodes. Plain values do not.
    pub fn merges(&self) -> bool {
        *self != Kind::Value
    }
}

impl From<&ValueKind> for Kind {
    fn from(kind: &ValueKind) -> Self {
        match *kind {
            ValueKind::Count => Kind::Count,
            ValueKind::Sum { signed } => Kind::Sum { signed },
            ValueKind::Min { signed } => Kind::Min { signed },
            ValueKind::Max { signed } => Kind::Max { signed },
            ValueKind::Avg { signed } => Kind::Avg { signed },
            ValueKind::Stats { signed } => Kind::Stats { signed },
            ValueKind::Hist { bits, signed } => Kind::Hist { bits, signed },
            ValueKind::Lhist { min, max, step, signed } => Kind::Lhist { min, max, step, signed },
            ValueKind::Tseries { interval_ns, intervals, fold, signed } => {
                Kind::Tseries { interval_ns, intervals, fold, signed }
            }
            ValueKind::Value(_) => Kind::Value,
        }
    }
}

/// One row's value. Sums are wider than the kernel's, so that a fleet's total does not wrap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cell {
    /// How often.
    #[serde(rename = "c")]
    Count(u64),
    /// The total.
    #[serde(rename = "s", with = "wire::wide")]
    Sum(i128),
    /// The least value; none when nothing was observed since the map was zeroed.
    #[serde(rename = "min", with = "wire::wide_option")]
    Min(Option<i128>),
    /// The greatest value; none when nothing was observed since the map was zeroed.
    #[serde(rename = "max", with = "wire::wide_option")]
    Max(Option<i128>),
    /// What an average is made of.
    #[serde(rename = "a")]
    Avg(Mean),
    /// What count, average and total are made of.
    #[serde(rename = "st")]
    Stats(Mean),
    /// Power-of-two buckets.
    #[serde(rename = "h")]
    Hist(Histogram),
    /// Linear buckets.
    #[serde(rename = "l")]
    Lhist(Histogram),
    /// The last intervals of time.
    #[serde(rename = "ts")]
    Tseries(Series),
    /// A plain value.
    #[serde(rename = "v")]
    Value(Value),
}

impl Cell {
    /// Whether the cell belongs into a map of this kind.
    pub fn is_of(&self, kind: &Kind) -> bool {
        matches!(
            (self, kind),
            (Cell::Count(_), Kind::Count)
                | (Cell::Sum(_), Kind::Sum { .. })
                | (Cell::Min(_), Kind::Min { .. })
                | (Cell::Max(_), Kind::Max { .. })
                | (Cell::Avg(_), Kind::Avg { .. })
                | (Cell::Stats(_), Kind::Stats { .. })
                | (Cell::Hist(_), Kind::Hist { .. })
                | (Cell::Lhist(_), Kind::Lhist { .. })
                | (Cell::Tseries(_), Kind::Tseries { .. })
                | (Cell::Value(_), Kind::Value)
        )
    }
}

/// A total and how many values it is the total of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mean {
    /// The sum of the observed values.
    #[serde(rename = "t", with = "wire::wide")]
    pub total: i128,
    /// How many values were observed.
    #[serde(rename = "n")]
    pub count: u64,
}

impl Mean {
    /// The average, truncated toward zero; 0 of nothing.
    pub fn average(&self) -> i128 {
        self.total.checked_div(i128::from(self.count)).unwrap_or(0)
    }
}

/// A histogram's non-empty buckets, and the exact sum of what was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Histogram {
    /// The sum of the observed values.
    #[serde(rename = "s", with = "wire::wide")]
    pub sum: i128,
    /// Observations by bucket number, as [`Buckets`] counts them; never 0.
    #[serde(rename = "b", with = "wire::pairs")]
    pub buckets: BTreeMap<u32, u64>,
}

impl Histogram {
    /// All observations.
    pub fn count(&self) -> u64 {
        self.buckets.values().fold(0, |sum, n| sum.saturating_add(*n))
    }
}
