//! What must hold for every snapshot: the laws of merging, of patches, and of the way over the wire.

mod arbitrary;

use arbitrary::{snapshot, value};
use proptest::prelude::*;
use report::bound::{limit, mass};
use report::merge::{Merged, merge, merge_cell};
use report::patch::{Patch, apply, diff, is_sound};
use report::{Cell, Histogram, Kind, Mean, Snapshot, Value, json, status, text};

fn merged(parts: &[(&str, &Snapshot)]) -> Merged {
    let mut all = Merged::default();
    for (node, part) in parts {
        let _ = all.add(node, part);
    }
    all
}

fn both(a: &Merged, b: &Merged) -> Merged {
    let mut sum = a.clone();
    let _ = sum.merge(b);
    sum
}

/// Rows and weight of everything that merges.
fn weight(snapshot: &Snapshot) -> i128 {
    let merging = snapshot.maps.values().filter(|map| map.kind.merges());
    merging.flat_map(|map| map.rows.values()).map(mass).sum()
}

proptest! {
    #[test]
    fn the_order_of_merging_does_not_matter(a in snapshot(), b in snapshot(), c in snapshot()) {
        let forward = merged(&[("a", &a), ("b", &b), ("c", &c)]);
        let backward = merged(&[("c", &c), ("a", &a), ("b", &b)]);
        prop_assert_eq!(&forward, &backward);
        let (a, b, c) = (merged(&[("a", &a)]), merged(&[("b", &b)]), merged(&[("c", &c)]));
        prop_assert_eq!(both(&both(&a, &b), &c), both(&a, &both(&b, &c)));
        prop_assert_eq!(both(&a, &b), both(&b, &a));
        prop_assert_eq!(both(&both(&a, &b), &c), forward);
    }

    #[test]
    fn sessions_of_one_node_may_merge_in_any_order(a in snapshot(), b in snapshot()) {
        prop_assert_eq!(merged(&[("n", &a), ("n", &b)]), merged(&[("n", &b), ("n", &a)]));
    }

    #[test]
    fn nothing_merged_into_something_changes_nothing(a in snapshot()) {
        let one = merged(&[("a", &a)]);
        prop_assert_eq!(both(&one, &Merged::default()), one.clone());
        prop_assert_eq!(both(&Merged::default(), &one), one);
    }

    #[test]
    fn what_goes_in_comes_out_or_is_told(a in snapshot(), b in snapshot()) {
        let mut total = Snapshot::default();
        let mut dropped = merge(&mut total, &a);
        dropped.add(merge(&mut total, &b));
        let lost: i128 = dropped.maps.values().map(|map| map.mass).sum();
        prop_assert_eq!(weight(&total) + lost, weight(&a) + weight(&b));
        prop_assert!(total.maps.values().all(|map| map.rows.values().all(|cell| cell.is_of(&map.kind))));
    }

    #[test]
    fn a_limit_keeps_so_many_rows_and_tells_the_rest(a in snapshot(), max in 0usize..4) {
        let mut kept = a.clone();
        let dropped = limit(&mut kept, max);
        prop_assert!(kept.maps.values().all(|map| map.rows.len() <= max));
        let rows = |s: &Snapshot| s.maps.values().map(|map| map.rows.len() as u64).sum::<u64>();
        prop_assert_eq!(rows(&kept) + dropped.rows(), rows(&a));
    }

    #[test]
    fn plain_values_of_many_nodes_are_limited_too(parts in proptest::collection::vec(snapshot(), 0..5), max in 0usize..8) {
        let names: Vec<String> = (0..parts.len()).map(|n| format!("node-{n}")).collect();
        let mut all = merged(&names.iter().map(String::as_str).zip(&parts).collect::<Vec<_>>());
        let plain = |merged: &Merged| {
            let nodes = merged.per_node.values().map(|nodes| nodes.values().map(|map| map.rows.len()).sum::<usize>());
            nodes.max().unwrap_or(0)
        };
        let total = |merged: &Merged| merged.total.maps.values().map(|map| map.rows.len()).sum::<usize>() as u64;
        let per_node = |merged: &Merged| -> u64 {
            merged.per_node.values().flat_map(|nodes| nodes.values()).map(|map| map.rows.len() as u64).sum()
        };
        let before = total(&all) + per_node(&all);
        let dropped = all.limit(max);
        prop_assert_eq!(total(&all) + per_node(&all) + dropped.rows(), before);
        prop_assert!(plain(&all) <= max);
    }

    #[test]
    fn a_patch_turns_the_old_into_the_new(old in snapshot(), new in snapshot()) {
        let patch = diff(&old, &new);
        let mut patched = old.clone();
        apply(&mut patched, &patch);
        prop_assert_eq!(&patched, &new);
        apply(&mut patched, &patch);
        prop_assert_eq!(&patched, &new);
        prop_assert_eq!(patch.is_empty(), old == new);
        prop_assert!(is_sound(&patch));
    }

    #[test]
    fn a_full_patch_needs_nothing_before_it(new in snapshot()) {
        let mut made = Snapshot::default();
        apply(&mut made, &Patch::full(&new));
        prop_assert_eq!(made, new);
    }

    #[test]
    fn snapshots_and_patches_survive_the_wire(old in snapshot(), new in snapshot()) {
        let patch = diff(&old, &new);
        let sent = serde_json::to_string(&(&new, &patch)).expect("serialises");
        let (snapshot, received): (Snapshot, Patch) = serde_json::from_str(&sent).expect("parses");
        prop_assert_eq!(snapshot, new.clone());
        prop_assert_eq!(received, patch);
        let buffered: serde_json::Value = serde_json::from_str(&sent).expect("parses");
        let (snapshot, _): (Snapshot, Patch) = serde_json::from_value(buffered).expect("parses");
        prop_assert_eq!(snapshot, new);
    }

    #[test]
    fn values_survive_the_wire_and_keep_their_order(a in value(), b in value()) {
        let back = |v: &Value| -> Value {
            serde_json::from_str(&serde_json::to_string(v).expect("serialises")).expect("parses")
        };
        prop_assert_eq!(back(&a).cmp(&back(&b)), a.cmp(&b));
        prop_assert_eq!(back(&a), a);
    }

    #[test]
    fn every_json_line_is_json(a in snapshot(), top in proptest::option::of(0usize..3), div: Option<u64>) {
        for (name, map) in &a.maps {
            let line = json::map_line(name, map, top, div);
            prop_assert!(line.is_empty() || serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{}", line);
            let printed = text::map(name, map, top, div);
            prop_assert!(printed.is_empty() || printed.ends_with('\n'));
        }
    }

    #[test]
    fn a_summary_stays_within_its_limits(a in snapshot(), rows in 0usize..5, rows_per_map in 0usize..3) {
        let limits = status::Limits { maps: 2, rows_per_map, rows, text: 8 };
        let summary = status::summarise(&a, &limits);
        let shown: usize = summary.maps.iter().map(|map| map.entries.len()).sum();
        prop_assert!(shown <= rows && summary.maps.iter().all(|map| map.entries.len() <= rows_per_map));
        let all: usize = a.maps.values().map(|map| map.rows.len()).sum();
        prop_assert!(summary.truncated || shown == all);
    }
}

#[test]
fn maps_that_differ_in_signedness_alone_merge_as_signed() {
    let sum = |signed, n| {
        let rows = [(report::Key::default(), Cell::Sum(n))].into();
        let map = report::MapData { rows, ..report::MapData::empty(Kind::Sum { signed }, false) };
        Snapshot { maps: [("@".to_owned(), map)].into() }
    };
    let mut total = sum(false, 5);
    assert!(merge(&mut total, &sum(true, -7)).is_empty());
    assert_eq!(total, sum(true, -2));
}

#[test]
fn plain_values_stay_apart_by_node() {
    let plain = |n: i64| {
        let rows = [(report::Key::from(["k"]), Cell::Value(Value::Int(n)))].into();
        let map = report::MapData { rows, ..report::MapData::empty(Kind::Value, true) };
        Snapshot { maps: [("@x".to_owned(), map)].into() }
    };
    let flat = merged(&[("node-a", &plain(1)), ("node-b", &plain(2))]).flatten();
    assert_eq!(text::snapshot(&flat), "\n\n@x[node-a, k]: 1\n@x[node-b, k]: 2\n");
}

#[test]
fn every_kind_adds_up_in_its_own_way() {
    let mean = |total, count| Mean { total, count };
    let histogram = |sum, buckets: &[(u32, u64)]| Histogram { sum, buckets: buckets.iter().copied().collect() };
    let cases = [
        (Cell::Count(2), Cell::Count(3), Cell::Count(5)),
        (Cell::Sum(-2), Cell::Sum(3), Cell::Sum(1)),
        (Cell::Sum(i128::from(u64::MAX)), Cell::Sum(1), Cell::Sum(1 << 64)),
        (Cell::Min(Some(2)), Cell::Min(Some(-3)), Cell::Min(Some(-3))),
        (Cell::Min(Some(2)), Cell::Min(None), Cell::Min(Some(2))),
        (Cell::Max(Some(2)), Cell::Max(Some(-3)), Cell::Max(Some(2))),
        (Cell::Max(None), Cell::Max(Some(-3)), Cell::Max(Some(-3))),
        (Cell::Avg(mean(10, 1)), Cell::Avg(mean(2, 3)), Cell::Avg(mean(12, 4))),
        (Cell::Stats(mean(-1, 1)), Cell::Stats(mean(4, 2)), Cell::Stats(mean(3, 3))),
        (
            Cell::Hist(histogram(7, &[(1, 1), (3, 2)])),
            Cell::Hist(histogram(-2, &[(0, 1), (3, 1)])),
            Cell::Hist(histogram(5, &[(0, 1), (1, 1), (3, 3)])),
        ),
        (
            Cell::Lhist(histogram(1, &[(1, 1)])),
            Cell::Lhist(histogram(1, &[(1, 1)])),
            Cell::Lhist(histogram(2, &[(1, 2)])),
        ),
    ];
    for (a, b, expected) in cases {
        let mut sum = a.clone();
        assert_eq!(merge_cell(&mut sum, &b), Ok(()));
        assert_eq!(sum, expected);
    }
}
