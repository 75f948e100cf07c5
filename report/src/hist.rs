//! The buckets of `hist(n, k)`: powers of two, each split linearly into 2^k.
//!
//! Bucket 0 holds negative values. Bucket `v + 1` holds exactly `v` for the values below 2^(k+1); above, every power
//! of two is 2^k buckets of equal width. The compiler emits the same rule as [`Log2::index_of`].

/// The largest `k` that `hist` takes.
pub const MAX_BITS: u8 = 5;

/// `hist`'s buckets for one `k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log2 {
    /// `k`, at most [`MAX_BITS`]; larger ones count as that.
    pub bits: u8,
}

impl Log2 {
    fn k(self) -> u32 {
        u32::from(self.bits.min(MAX_BITS))
    }

    /// How many buckets there are: 65 for `k` = 0.
    pub fn count(self) -> u32 {
        ((64 - self.k()) << self.k()) + 1
    }

    /// The bucket that `value` falls into. An unsigned value is to be cast, so 2^63 and above count as negative.
    pub fn index_of(self, value: i64) -> u32 {
        let k = self.k();
        let Ok(n) = u64::try_from(value) else { return 0 };
        if n < 1 << k {
            return n as u32 + 1;
        }
        let shift = n.ilog2() - k;
        let part = (n >> shift) as u32 & self.part_mask();
        ((shift + 1) << k) + part + 1
    }

    fn part_mask(self) -> u32 {
        (1 << self.k()) - 1
    }

    /// The least value of a bucket; `None` for bucket 0, which has no bound below.
    pub fn lower(self, index: u32) -> Option<i128> {
        let step = index.checked_sub(1)?;
        let (part, power) = self.edge(step);
        Some(i128::from(part) << power)
    }

    /// The greatest value of a bucket.
    pub fn upper(self, index: u32) -> Option<i128> {
        Some(self.lower(index.saturating_add(1))? - 1)
    }

    /// Edge number `step` as `part * 2^power`.
    fn edge(self, step: u32) -> (u32, u32) {
        let k = self.k();
        match (step >> k).checked_sub(1) {
            None => (step, 0),
            // A bucket number beyond the last can only come from damaged data; any edge will do.
            Some(power) => ((1 << k) + (step & self.part_mask()), power.min(64)),
        }
    }

    /// A bucket's bounds as bpftrace prints them: `(..., 0)`, `[1]`, `[512, 1K)`.
    pub fn label(self, index: u32) -> String {
        match index {
            0 => "(..., 0)".to_owned(),
            exact if exact <= 2 << self.k() => format!("[{}]", exact - 1),
            _ => format!("[{}, {})", self.edge_label(index - 1), self.edge_label(index)),
        }
    }

    fn edge_label(self, step: u32) -> String {
        const SUFFIXES: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
        let (part, power) = self.edge(step);
        let suffix = SUFFIXES.get(power as usize / 10).unwrap_or(&"");
        format!("{}{suffix}", u64::from(part) << (power % 10))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Log2 = Log2 { bits: 0 };

    #[test]
    fn values_fall_into_the_buckets_bpftrace_uses() {
        let label = |bits, value| Log2 { bits }.label(Log2 { bits }.index_of(value));
        assert_eq!(label(0, -5), "(..., 0)");
        assert_eq!(label(0, 0), "[0]");
        assert_eq!(label(0, 1), "[1]");
        assert_eq!(label(0, 2), "[2, 4)");
        assert_eq!(label(0, 3), "[2, 4)");
        assert_eq!(label(0, 1023), "[512, 1K)");
        assert_eq!(label(0, 1024), "[1K, 2K)");
        assert_eq!(label(0, 3_000_000), "[2M, 4M)");
        assert_eq!(label(0, i64::MAX), "[4E, 8E)");
        assert_eq!(label(2, 5), "[5]");
        assert_eq!(label(2, 7), "[7]");
        assert_eq!(label(2, 17), "[16, 20)");
        assert_eq!(label(2, 100), "[96, 112)");
    }

    #[test]
    fn plain_upper_bounds_are_one_less_than_powers_of_two() {
        let uppers: Vec<_> = (0..7).map(|i| PLAIN.upper(i)).collect();
        assert_eq!(uppers, [-1, 0, 1, 3, 7, 15, 31].map(Some));
        assert_eq!(PLAIN.upper(PLAIN.count() - 1), Some(i128::from(i64::MAX)));
    }

    proptest! {
        #[test]
        fn every_value_lies_between_the_bounds_of_its_bucket(value: i64, bits in 0..=MAX_BITS) {
            let buckets = Log2 { bits };
            let index = buckets.index_of(value);
            prop_assert!(index < buckets.count());
            prop_assert!(buckets.lower(index).is_none_or(|lower| lower <= i128::from(value)));
            prop_assert!(buckets.upper(index).is_some_and(|upper| i128::from(value) <= upper));
        }

        #[test]
        fn buckets_have_no_gaps(bits in 0..=MAX_BITS, step in 0u32..2000) {
            let buckets = Log2 { bits };
            let index = step % (buckets.count() - 1);
            prop_assert_eq!(buckets.upper(index).map(|upper| upper + 1), buckets.lower(index + 1));
        }

        #[test]
        fn a_bucket_number_out_of_range_does_not_panic(index: u32, bits: u8) {
            let buckets = Log2 { bits };
            let _ = (buckets.lower(index), buckets.upper(index), buckets.label(index));
        }
    }
}
