//! Quantiles of a merged histogram, by the rule of Prometheus' `histogram_quantile` for classic histograms.
//!
//! Reads the same cumulative buckets that the metrics endpoint publishes, so both give the same answer: linear within
//! a bucket, the last finite bound for what lies above it.

use crate::buckets::{Buckets, Classic};
use crate::snapshot::Histogram;

/// The `q` quantile (0 to 1) of a histogram; `None` of an empty one, or when `q` is no such number.
pub fn quantile(buckets: &Buckets, histogram: &Histogram, q: f64) -> Option<f64> {
    of_classic(&buckets.classic(histogram, 0), q)
}

/// The `q` quantile of cumulative buckets that end with +Inf.
pub fn of_classic(classic: &[Classic], q: f64) -> Option<f64> {
    let (infinite, finite) = classic.split_last()?;
    if infinite.cumulative == 0 || !(0.0..=1.0).contains(&q) {
        return None;
    }
    let rank = q * infinite.cumulative as f64;
    let mut below: Option<(f64, f64)> = None;
    for bucket in finite {
        let (end, cumulative) = (bucket.le? as f64, bucket.cumulative as f64);
        if cumulative < rank {
            below = Some((end, cumulative));
            continue;
        }
        let (start, before) = match below {
            Some(edge) => edge,
            // Without a bucket below, values are taken to begin at 0, and where that cannot be, to lie at the bound.
            None if end <= 0.0 => return Some(end),
            None => (0.0, 0.0),
        };
        let within = cumulative - before;
        return Some(if within > 0.0 { start + (end - start) * (rank - before) / within } else { end });
    }
    below.map(|(end, _)| end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hist::Log2;
    use crate::lhist::Linear;

    fn of(buckets: Buckets, counts: &[(u32, u64)], q: f64) -> Option<f64> {
        quantile(&buckets, &Histogram { sum: 0, buckets: counts.iter().copied().collect() }, q)
    }

    const HIST: Buckets = Buckets::Log2(Log2 { bits: 0 });

    #[test]
    fn a_quantile_is_linear_within_its_bucket() {
        // Bounds 3 and 7, four observations between them.
        assert_eq!(of(HIST, &[(4, 4)], 0.5), Some(5.0));
        assert_eq!(of(HIST, &[(4, 4)], 1.0), Some(7.0));
        assert_eq!(of(HIST, &[(2, 1), (4, 3)], 0.25), Some(1.0));
    }

    #[test]
    fn zeros_alone_have_the_quantile_zero() {
        assert_eq!(of(HIST, &[(1, 9)], 0.99), Some(0.0));
    }

    #[test]
    fn what_lies_above_every_bound_answers_the_last_bound() {
        let linear = Buckets::Linear(Linear { min: 0, max: 20, step: 10 });
        assert_eq!(of(linear, &[(1, 1), (3, 9)], 0.9), Some(19.0));
    }

    #[test]
    fn an_empty_histogram_has_no_quantile() {
        assert_eq!(of(HIST, &[], 0.5), None);
        assert_eq!(of(HIST, &[(1, 1)], f64::NAN), None);
    }
}
