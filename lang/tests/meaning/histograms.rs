//! Histograms: the bucket a program counts in is the bucket its reader prints.

use lang::compiled::Compiled;
use proptest::prelude::*;
use report::Cell;
use report::hist::Log2;
use report::lhist::Linear;

use crate::script::Script;

/// The buckets that hold something after a raw tracepoint had these arguments one after the other, and the sum.
fn buckets(source: &str, values: &[i64]) -> (Vec<(u32, u64)>, i128) {
    let mut script = Script::new(source);
    for value in values {
        script.fire(0, &value.to_ne_bytes());
    }
    let snapshot = script.snapshot();
    let map = snapshot.maps.values().next().expect("a map");
    match map.rows.values().next() {
        Some(Cell::Hist(histogram) | Cell::Lhist(histogram)) => {
            (histogram.buckets.iter().map(|(bucket, count)| (*bucket, *count)).collect(), histogram.sum)
        }
        other => panic!("not a histogram: {other:?}"),
    }
}

fn interesting() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -3i64..70, (0u32..63, -2i64..3).prop_map(|(bit, off)| (1i64 << bit).wrapping_add(off))]
}

#[test]
fn every_power_of_two_has_its_bucket() {
    for bit in 0..63 {
        let value = 1i64 << bit;
        for value in [value - 1, value, value + 1] {
            let (found, sum) = buckets("rawtracepoint:record { @ = hist((int64)arg0); }", &[value]);
            assert_eq!(found, [(Log2 { bits: 0 }.index_of(value), 1)], "{value}");
            assert_eq!(sum, i128::from(value));
        }
    }
}

#[test]
fn a_histogram_keeps_the_sum_of_its_values() {
    let (found, sum) = buckets("rawtracepoint:record { @ = hist((int64)arg0); }", &[1, 1, 5, -3]);
    assert_eq!((found, sum), (vec![(0, 1), (2, 2), (4, 1)], 4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hist_counts_where_its_reader_looks(value in interesting(), bits in 0u8..=5) {
        let source = format!("rawtracepoint:record {{ @ = hist((int64)arg0, {bits}); }}");
        let (found, _) = buckets(&source, &[value]);
        prop_assert_eq!(found, [(Log2 { bits }.index_of(value), 1)]);
    }

    #[test]
    fn lhist_counts_where_its_reader_looks(value in interesting(), min in -100i64..100, inner in 1i64..500, step in 1i64..50) {
        let max = min + inner * step;
        let source = format!("rawtracepoint:record {{ @ = lhist((int64)arg0, {min}, {max}, {step}); }}");
        let (found, _) = buckets(&source, &[value]);
        prop_assert_eq!(found, [(Linear { min, max, step }.index_of(value), 1)]);
    }
}

#[test]
fn a_histogram_is_one_element() {
    let Compiled { maps, .. } = Script::new("rawtracepoint:record { @[comm] = hist(arg0); }").compiled;
    assert_eq!(maps.first().map(|map| map.value_size), Some(8 + 65 * 8));
}
