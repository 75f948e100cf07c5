//! The buckets of `lhist(v, min, max, step)`: equal widths between `min` and `max`, one bucket below, one above.
//!
//! Bucket 0 lies below `min`; the last begins at the last whole step up to `max`, so that `max` itself is in it.

/// The most buckets an `lhist` has, both outer ones included.
pub const MAX_BUCKETS: u32 = 1002;

/// `lhist`'s buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear {
    /// Where the first inner bucket begins.
    pub min: i64,
    /// Where the inner buckets end.
    pub max: i64,
    /// The width of an inner bucket; below 1 counts as 1.
    pub step: i64,
}

impl Linear {
    fn step(self) -> i128 {
        i128::from(self.step.max(1))
    }

    /// How many buckets there are, at most [`MAX_BUCKETS`].
    pub fn count(self) -> u32 {
        let inner = (i128::from(self.max) - i128::from(self.min)).max(0) / self.step();
        u32::try_from(inner).unwrap_or(MAX_BUCKETS).saturating_add(2).min(MAX_BUCKETS)
    }

    fn last(self) -> u32 {
        self.count() - 1
    }

    /// The bucket that `value` falls into.
    pub fn index_of(self, value: i64) -> u32 {
        if value < self.min {
            return 0;
        }
        let steps = (i128::from(value) - i128::from(self.min)) / self.step();
        u32::try_from(steps).unwrap_or(MAX_BUCKETS).saturating_add(1).min(self.last())
    }

    fn edge(self, step: u32) -> i128 {
        i128::from(self.min) + i128::from(step) * self.step()
    }

    /// The least value of a bucket; `None` for the first.
    pub fn lower(self, index: u32) -> Option<i128> {
        Some(self.edge(index.checked_sub(1)?))
    }

    /// The greatest value of a bucket; `None` for the last.
    pub fn upper(self, index: u32) -> Option<i128> {
        (index < self.last()).then(|| self.edge(index) - 1)
    }

    /// A bucket's bounds as bpftrace prints them: `(..., 0)`, `[0, 5)`, `[3]` when the step is 1, `[10, ...)`.
    pub fn label(self, index: u32) -> String {
        let upper = self.edge_label(index);
        let Some(step) = index.checked_sub(1) else { return format!("(..., {upper})") };
        let lower = self.edge_label(step);
        match (index >= self.last(), self.step()) {
            (true, _) => format!("[{lower}, ...)"),
            (false, 1) => format!("[{lower}]"),
            (false, _) => format!("[{lower}, {upper})"),
        }
    }

    /// Only steps of whole Ki get a suffix; there is none above M.
    fn edge_label(self, step: u32) -> String {
        const KILO: i128 = 1024;
        const MEGA: i128 = KILO * KILO;
        let edge = self.edge(step);
        if edge == 0 || self.step() % KILO != 0 || edge % KILO != 0 {
            edge.to_string()
        } else if edge % MEGA == 0 {
            format!("{}M", edge / MEGA)
        } else {
            format!("{}K", edge / KILO)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_greatest_value_falls_into_the_overflow_bucket() {
        let buckets = Linear { min: 0, max: 10, step: 5 };
        assert_eq!(buckets.count(), 4);
        let labels: Vec<_> = [-1, 0, 4, 5, 9, 10, 99].map(|v| buckets.label(buckets.index_of(v))).into();
        assert_eq!(labels, ["(..., 0)", "[0, 5)", "[0, 5)", "[5, 10)", "[5, 10)", "[10, ...)", "[10, ...)"]);
    }

    #[test]
    fn a_step_that_does_not_divide_the_range_ends_at_the_last_whole_step() {
        let buckets = Linear { min: 0, max: 10, step: 3 };
        assert_eq!(buckets.count(), 5);
        assert_eq!(buckets.label(buckets.index_of(9)), "[9, ...)");
        assert_eq!(buckets.upper(3), Some(8));
        assert_eq!(buckets.upper(4), None);
    }

    #[test]
    fn only_whole_kibi_steps_get_a_suffix() {
        let kibi = Linear { min: 0, max: 1 << 21, step: 1 << 20 };
        assert_eq!((0..4).map(|i| kibi.label(i)).collect::<Vec<_>>(), ["(..., 0)", "[0, 1M)", "[1M, 2M)", "[2M, ...)"]);
        assert_eq!(Linear { min: 1024, max: 4096, step: 1024 }.label(1), "[1K, 2K)");
        assert_eq!(Linear { min: 1, max: 4097, step: 1024 }.label(1), "[1, 1025)");
        assert_eq!(Linear { min: 0, max: 4000, step: 1000 }.label(2), "[1000, 2000)");
    }

    #[test]
    fn a_bucket_of_one_value_prints_that_value() {
        assert_eq!(Linear { min: 0, max: 5, step: 1 }.label(4), "[3]");
    }

    proptest! {
        #[test]
        fn every_value_lies_between_the_bounds_of_its_bucket(value: i64, min: i64, max: i64, step: i64) {
            let buckets = Linear { min, max, step };
            let index = buckets.index_of(value);
            prop_assert!(index < buckets.count());
            prop_assert!(buckets.lower(index).is_none_or(|lower| lower <= i128::from(value)));
            prop_assert!(buckets.upper(index).is_none_or(|upper| i128::from(value) <= upper));
            let _ = buckets.label(index);
        }
    }
}
