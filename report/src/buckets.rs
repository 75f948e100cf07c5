//! The buckets of a histogram map, whichever kind, and their cumulative form.
//!
//! [`Buckets::classic`] is what Prometheus calls a classic histogram: exact inclusive upper bounds with cumulative
//! counts. The metrics endpoint publishes it and [`crate::quantile`] reads it, so that both agree.

use crate::hist::Log2;
use crate::lhist::Linear;
use crate::snapshot::Histogram;

/// How a histogram divides the integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buckets {
    /// `hist`.
    Log2(Log2),
    /// `lhist`.
    Linear(Linear),
}

impl Buckets {
    /// How many buckets there are.
    pub fn count(&self) -> u32 {
        match self {
            Buckets::Log2(b) => b.count(),
            Buckets::Linear(b) => b.count(),
        }
    }

    /// The bucket that `value` falls into; unsigned values are to be cast.
    pub fn index_of(&self, value: i64) -> u32 {
        match self {
            Buckets::Log2(b) => b.index_of(value),
            Buckets::Linear(b) => b.index_of(value),
        }
    }

    /// The least value of a bucket; `None` where there is no bound.
    pub fn lower(&self, index: u32) -> Option<i128> {
        match self {
            Buckets::Log2(b) => b.lower(index),
            Buckets::Linear(b) => b.lower(index),
        }
    }

    /// The greatest value of a bucket; `None` where there is no bound.
    pub fn upper(&self, index: u32) -> Option<i128> {
        match self {
            Buckets::Log2(b) => b.upper(index),
            Buckets::Linear(b) => b.upper(index),
        }
    }

    /// The bucket's bounds as text: `[512, 1K)`.
    pub fn label(&self, index: u32) -> String {
        match self {
            Buckets::Log2(b) => b.label(index),
            Buckets::Linear(b) => b.label(index),
        }
    }

    /// The inclusive upper bound of every bucket, in order; `None` is +Inf.
    pub fn upper_bounds(&self) -> impl Iterator<Item = Option<i128>> + use<> {
        let buckets = *self;
        (0..buckets.count()).map(move |index| buckets.upper(index))
    }

    /// The first and last bucket that is not empty.
    pub fn span(&self, histogram: &Histogram) -> Option<(u32, u32)> {
        let mut within = histogram.buckets.range(..self.count()).filter(|(_, n)| **n > 0);
        let (first, _) = within.next()?;
        let last = within.next_back().map_or(first, |(last, _)| last);
        Some((*first, *last))
    }

    /// The cumulative form: one entry per bound up to the last non-empty bucket, at least through bucket `through`,
    /// then +Inf. `hist`'s bound -1 appears only when something negative was observed.
    pub fn classic(&self, histogram: &Histogram, through: u32) -> Vec<Classic> {
        let (first_used, last_used) = self.span(histogram).unwrap_or((u32::MAX, 0));
        let first = match self {
            Buckets::Log2(_) => first_used.min(1),
            // Without a bound below, Prometheus takes 0 for where the first bucket begins.
            Buckets::Linear(b) if b.min == 0 => first_used.min(1),
            Buckets::Linear(_) => 0,
        };
        let last = last_used.max(through).min(self.count() - 1);
        let mut cumulative = 0u64;
        let mut classic = Vec::new();
        for index in first..=last {
            cumulative = cumulative.saturating_add(histogram.buckets.get(&index).copied().unwrap_or(0));
            if let Some(upper) = self.upper(index) {
                classic.push(Classic { le: Some(upper), cumulative });
            }
        }
        classic.push(Classic { le: None, cumulative });
        classic
    }
}

/// One bound of a classic histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classic {
    /// The inclusive upper bound; `None` is +Inf.
    pub le: Option<i128>,
    /// How many observations are at most `le`.
    pub cumulative: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(buckets: Buckets, values: &[i64]) -> Histogram {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.sum += i128::from(*value);
            *histogram.buckets.entry(buckets.index_of(*value)).or_default() += 1;
        }
        histogram
    }

    fn classic(buckets: Buckets, values: &[i64]) -> Vec<(Option<i128>, u64)> {
        buckets.classic(&observed(buckets, values), 0).iter().map(|c| (c.le, c.cumulative)).collect()
    }

    const HIST: Buckets = Buckets::Log2(Log2 { bits: 0 });

    #[test]
    fn the_cumulative_form_has_exact_bounds_and_ends_with_everything() {
        let expected = [(Some(0), 0), (Some(1), 1), (Some(3), 3), (Some(7), 4), (None, 4)];
        assert_eq!(classic(HIST, &[1, 2, 3, 4]), expected);
    }

    #[test]
    fn the_bound_below_zero_appears_only_with_negative_values() {
        assert_eq!(classic(HIST, &[-7, 0]), [(Some(-1), 1), (Some(0), 2), (None, 2)]);
        assert_eq!(classic(HIST, &[]), [(None, 0)]);
    }

    #[test]
    fn bounds_once_shown_can_be_kept() {
        let bounds: Vec<_> = HIST.classic(&Histogram::default(), 3).iter().map(|c| c.le).collect();
        assert_eq!(bounds, [Some(0), Some(1), Some(3), None]);
    }

    #[test]
    fn a_linear_histogram_counts_its_overflow_at_infinity_alone() {
        let buckets = Buckets::Linear(Linear { min: 100, max: 120, step: 10 });
        let expected = [(Some(99), 1), (Some(109), 2), (Some(119), 2), (None, 4)];
        assert_eq!(classic(buckets, &[5, 100, 120, 999]), expected);
    }

    #[test]
    fn a_bucket_number_out_of_range_is_left_out() {
        let mut histogram = observed(HIST, &[1]);
        histogram.buckets.insert(u32::MAX, 9);
        assert_eq!(HIST.span(&histogram), Some((2, 2)));
    }
}
