//! Random values, maps and snapshots for the properties.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use report::schema::StackMode;
use report::series::{Fold, Point, Series};
use report::{Cell, Histogram, Key, Kind, MapData, Mean, Snapshot, Stack, Text, Value};

/// Any value, nested at most two deep.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::Uint),
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::Pointer),
        vec(any::<u8>(), 0..6).prop_map(|bytes| Value::Str(Text(bytes))),
        "[a-z]{0,6}".prop_map(|text| Value::Str(Text::from(text))),
        vec(any::<u8>(), 0..6).prop_map(Value::Buf),
        any::<std::net::IpAddr>().prop_map(Value::Inet),
        any::<[u8; 6]>().prop_map(Value::Mac),
        "[a-z]{1,6}".prop_map(Value::Symbol),
        (mode(), vec("[a-z+0-9]{1,6}", 0..3)).prop_map(|(mode, frames)| Value::Stack(Stack { mode, frames })),
        (any::<i64>(), proptest::option::of("[A-Z]{1,4}")).prop_map(|(value, name)| Value::Enum { value, name }),
        "[0-9:]{1,6}".prop_map(Value::Timestamp),
        "[a-z]{1,6}".prop_map(Value::Username),
        "/[a-z]{1,6}".prop_map(Value::CgroupPath),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            vec(inner.clone(), 0..3).prop_map(Value::Tuple),
            vec(("[a-z]{1,3}", inner), 0..3).prop_map(Value::Record),
        ]
    })
}

fn mode() -> impl Strategy<Value = StackMode> {
    prop_oneof![Just(StackMode::Bpftrace), Just(StackMode::Perf), Just(StackMode::Raw), Just(StackMode::BuildId)]
}

fn kind() -> impl Strategy<Value = Kind> {
    let simple = |signed| {
        prop_oneof![
            Just(Kind::Count),
            Just(Kind::Sum { signed }),
            Just(Kind::Min { signed }),
            Just(Kind::Max { signed }),
            Just(Kind::Avg { signed }),
            Just(Kind::Stats { signed }),
            (0u8..3).prop_map(move |bits| Kind::Hist { bits, signed }),
            Just(Kind::Lhist { min: 0, max: 100, step: 10, signed }),
            fold().prop_map(move |fold| Kind::Tseries { interval_ns: 1_000_000, intervals: 5, fold, signed }),
            Just(Kind::Value),
        ]
    };
    any::<bool>().prop_flat_map(simple)
}

fn histogram() -> impl Strategy<Value = Histogram> {
    (any::<i64>(), btree_map(0u32..12, 1u64..1_000_000, 0..4))
        .prop_map(|(sum, buckets)| Histogram { sum: i128::from(sum), buckets })
}

fn fold() -> impl Strategy<Value = Fold> {
    prop_oneof![Just(Fold::Last), Just(Fold::Sum), Just(Fold::Min), Just(Fold::Max), Just(Fold::Avg)]
}

fn series(fold: Fold, intervals: u32) -> impl Strategy<Value = Series> {
    let point = move |(value, other): (i64, u32)| match (fold, i128::from(value)) {
        (Fold::Last, value) => Point::Last { at: u64::from(other), value },
        (Fold::Sum, value) => Point::Sum(value),
        (Fold::Min, value) => Point::Min(value),
        (Fold::Max, value) => Point::Max(value),
        (Fold::Avg, total) => Point::Avg(Mean { total, count: u64::from(other) }),
    };
    let points = vec((0u64..12, any::<(i64, u32)>()), 0..6);
    points.prop_map(move |points| {
        let mut series = Series::new(intervals);
        points.into_iter().for_each(|(interval, drawn)| series.add(interval, point(drawn)));
        series
    })
}

/// A cell of the given kind.
fn cell(kind: Kind) -> BoxedStrategy<Cell> {
    let wide = any::<i64>().prop_map(|n| i128::from(n) * 3);
    let mean = (wide.clone(), any::<u32>()).prop_map(|(total, count)| Mean { total, count: u64::from(count) });
    match kind {
        Kind::Count => any::<u32>().prop_map(|n| Cell::Count(u64::from(n))).boxed(),
        Kind::Sum { .. } => wide.prop_map(Cell::Sum).boxed(),
        Kind::Min { .. } => proptest::option::of(wide).prop_map(Cell::Min).boxed(),
        Kind::Max { .. } => proptest::option::of(wide).prop_map(Cell::Max).boxed(),
        Kind::Avg { .. } => mean.prop_map(Cell::Avg).boxed(),
        Kind::Stats { .. } => mean.prop_map(Cell::Stats).boxed(),
        Kind::Hist { .. } => histogram().prop_map(Cell::Hist).boxed(),
        Kind::Lhist { .. } => histogram().prop_map(Cell::Lhist).boxed(),
        Kind::Tseries { fold, intervals, .. } => series(fold, intervals).prop_map(Cell::Tseries).boxed(),
        Kind::Value => value().prop_map(Cell::Value).boxed(),
    }
}

fn map() -> impl Strategy<Value = MapData> {
    let key = prop_oneof![
        4 => "[ab]".prop_map(|text| Key(vec![Value::from(text.as_str())])),
        1 => vec(value(), 1..3).prop_map(Key),
    ];
    let rows = move |(kind, keyed)| {
        let keys = if keyed { key.clone().boxed() } else { Just(Key::default()).boxed() };
        btree_map(keys, cell(kind), 0..4).prop_map(move |rows| MapData { rows, ..MapData::empty(kind, keyed) })
    };
    (kind(), any::<bool>()).prop_flat_map(rows)
}

/// A snapshot of a few maps, whose names and keys often meet those of others.
pub fn snapshot() -> impl Strategy<Value = Snapshot> {
    btree_map("@[abc]?", map(), 0..4).prop_map(|maps| Snapshot { maps })
}
