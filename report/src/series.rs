//! What `tseries()` keeps: one point for each of the last intervals of wall-clock time.
//!
//! Intervals are numbered from 1970 on, so that those of many nodes fall together. Leaves drawing to [`crate::render`].

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::snapshot::Mean;
use crate::wire;

/// The most intervals a series keeps: with its words for each, a per-CPU value of the kernel holds no more.
pub const MAX_INTERVALS: u32 = 1300;

/// 64-bit words the kernel keeps for an interval: its number plus 1, then two as [`Fold`] says.
pub const WORDS: u32 = 3;

/// What becomes of several values of one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fold {
    /// The last one stays: `[value, when]`.
    Last,
    /// They are added up: `[total, 0]`.
    Sum,
    /// The least stays: `[value, 0]`.
    Min,
    /// The greatest stays: `[value, 0]`.
    Max,
    /// Their average: `[total, count]`.
    Avg,
}

/// The points of the last intervals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Series {
    /// How many intervals are kept, counted back from the last that has a point.
    #[serde(rename = "w")]
    pub intervals: u32,
    /// Points by the number of their interval.
    #[serde(rename = "p", with = "wire::pairs")]
    pub points: BTreeMap<u64, Point>,
}

/// What was observed in an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Point {
    /// The last value, and when by the clock of its node.
    #[serde(rename = "v")]
    Last {
        /// Nanoseconds.
        at: u64,
        /// The value.
        #[serde(with = "wire::wide")]
        value: i128,
    },
    /// The total.
    #[serde(rename = "s", with = "wire::wide")]
    Sum(i128),
    /// The least value.
    #[serde(rename = "min", with = "wire::wide")]
    Min(i128),
    /// The greatest value.
    #[serde(rename = "max", with = "wire::wide")]
    Max(i128),
    /// What an average is made of.
    #[serde(rename = "a")]
    Avg(Mean),
}

impl Point {
    /// What it prints as.
    pub fn value(&self) -> i128 {
        match self {
            Point::Last { value, .. } | Point::Sum(value) | Point::Min(value) | Point::Max(value) => *value,
            Point::Avg(mean) => mean.average(),
        }
    }

    fn add(&mut self, other: &Point) {
        *self = match (*self, *other) {
            (Point::Sum(a), Point::Sum(b)) => Point::Sum(a.wrapping_add(b)),
            (Point::Min(a), Point::Min(b)) => Point::Min(a.min(b)),
            (Point::Avg(a), Point::Avg(b)) => {
                Point::Avg(Mean { total: a.total.wrapping_add(b.total), count: a.count.saturating_add(b.count) })
            }
            // The greatest, or the latest.
            (a, b) => a.max(b),
        };
    }
}

impl Series {
    /// One without points.
    pub fn new(intervals: u32) -> Self {
        Series { intervals, points: BTreeMap::new() }
    }

    /// The last interval that has a point.
    pub fn last(&self) -> Option<u64> {
        self.points.last_key_value().map(|(interval, _)| *interval)
    }

    /// Adds what was observed in an interval.
    pub fn add(&mut self, interval: u64, point: Point) {
        self.points.entry(interval).and_modify(|sum| sum.add(&point)).or_insert(point);
        self.forget();
    }

    /// Adds another's points; what is older than the last intervals of both together goes.
    pub fn merge(&mut self, other: &Series) {
        self.intervals = self.intervals.max(other.intervals);
        for (interval, point) in &other.points {
            self.add(*interval, *point);
        }
        self.forget();
    }

    fn forget(&mut self) {
        if let Some(last) = self.last() {
            self.points = self.points.split_off(self.window(last).start());
        }
    }

    /// The intervals that are kept where `last` is the last one.
    pub fn window(&self, last: u64) -> RangeInclusive<u64> {
        last.saturating_sub(u64::from(self.intervals.max(1)) - 1)..=last
    }
}
