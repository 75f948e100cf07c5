//! Power-of-two histograms as Prometheus' native ones of schema 0, whose buckets are powers of two as well.
//!
//! `[2^i, 2^(i+1) - 1]` becomes the native bucket `(2^i, 2^(i+1)]` with index i + 1, `{1}` the one with index 0, `{0}` the
//! zero bucket: only exact powers of two end one bucket too high. Buckets finer than a power of two are added up. There is
//! no native form for linear histograms, nor where negative values were seen, whose size nobody recorded.

use std::collections::BTreeMap;

use prometheus_client::encoding::{NativeHistogram, NativeHistogramBuckets};
use report::snapshot::Histogram;
use report::{Buckets, hist::Log2};

/// The schema whose buckets grow by powers of two.
const SCHEMA: i32 = 0;
/// What counts as zero: smaller than any integer but zero.
const ZERO_THRESHOLD: f64 = f64::MIN_POSITIVE;

/// A native histogram's buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Native {
    zero_count: u64,
    /// Runs of indices that follow each other: how far after the run before, and how many.
    spans: Vec<(i32, u32)>,
    /// Each bucket's count as the difference from the one before.
    deltas: Vec<i64>,
}

impl Native {
    /// The native form of a histogram, if it has one.
    pub fn of(buckets: Buckets, histogram: &Histogram) -> Option<Self> {
        let Buckets::Log2(bounds) = buckets else { return None };
        if histogram.buckets.get(&0).is_some_and(|negative| *negative > 0) {
            return None;
        }
        let mut native = Self::default();
        let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
        for (index, count) in histogram.buckets.iter().filter(|(_, count)| **count > 0) {
            match native_index(bounds, *index)? {
                None => native.zero_count += count,
                Some(index) => *counts.entry(index).or_default() += count,
            }
        }
        native.lay_out(&counts);
        Some(native)
    }

    fn lay_out(&mut self, counts: &BTreeMap<i32, u64>) {
        let mut next = 0;
        let mut before = 0;
        for (index, count) in counts {
            match self.spans.last_mut() {
                Some((_, length)) if *index == next => *length += 1,
                _ => self.spans.push((index - next, 1)),
            }
            next = index + 1;
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            self.deltas.push(count - before);
            before = count;
        }
    }

    /// For the encoder.
    pub fn encoded(&self) -> NativeHistogram<'_> {
        NativeHistogram {
            schema: SCHEMA,
            zero_threshold: ZERO_THRESHOLD,
            zero_count: self.zero_count,
            negative: NativeHistogramBuckets { spans: &[], deltas: &[] },
            positive: NativeHistogramBuckets { spans: &self.spans, deltas: &self.deltas },
            created: None,
        }
    }
}

/// The native index of a bucket; inside, `None` for the zero bucket.
fn native_index(bounds: Log2, index: u32) -> Option<Option<i32>> {
    let least = u128::try_from(bounds.lower(index)?).ok()?;
    Some(match least {
        0 => None,
        1 => Some(0),
        least => Some(i32::try_from(least.ilog2()).ok()? + 1),
    })
}

#[cfg(test)]
mod tests {
    use report::lhist::Linear;

    use super::*;

    fn native(bits: u8, values: &[i64]) -> Option<Native> {
        let buckets = Buckets::Log2(Log2 { bits });
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| *histogram.buckets.entry(buckets.index_of(*value)).or_default() += 1);
        Native::of(buckets, &histogram)
    }

    #[test]
    fn powers_of_two_keep_their_buckets() {
        let expected = Native { zero_count: 2, spans: vec![(0, 1), (1, 2), (6, 1)], deltas: vec![1, 1, -1, 2] };
        assert_eq!(native(0, &[0, 0, 1, 2, 3, 5, 512, 600, 1023]), Some(expected));
    }

    #[test]
    fn finer_buckets_are_added_up() {
        assert_eq!(native(3, &[0, 0, 1, 2, 3, 5, 512, 600, 1023]), native(0, &[0, 0, 1, 2, 3, 5, 512, 600, 1023]));
    }

    #[test]
    fn an_empty_histogram_is_native_too() {
        assert_eq!(native(0, &[]), Some(Native::default()));
    }

    #[test]
    fn negative_values_and_linear_buckets_have_no_native_form() {
        assert_eq!(native(0, &[-1, 5]), None);
        let linear = Buckets::Linear(Linear { min: 0, max: 10, step: 1 });
        assert_eq!(Native::of(linear, &Histogram::default()), None);
    }
}
