//! The compact form of a result.

use report::status::{Limits, summarise};
use report::{Cell, Histogram, Key, Kind, MapData, Mean, Snapshot};
use serde_json::json;

fn snapshot(kind: Kind, rows: Vec<(Key, Cell)>) -> Snapshot {
    let keyed = rows.iter().any(|(key, _)| !key.0.is_empty());
    let map = MapData { rows: rows.into_iter().collect(), ..MapData::empty(kind, keyed) };
    Snapshot { maps: [("@m".to_owned(), map)].into() }
}

#[test]
fn a_histogram_is_its_first_index_and_its_counts() {
    let histogram = Histogram { sum: 40, buckets: [(3, 2), (5, 1)].into() };
    let rows = vec![(Key::from(["cat"]), Cell::Hist(histogram))];
    let summary = summarise(&snapshot(Kind::Hist { bits: 0, signed: true }, rows), &Limits::default());
    let expected = json!({
        "maps": [{
            "name": "@m", "kind": {"hist": {"bits": 0, "signed": true}}, "totalEntries": 1,
            "entries": [{"key": ["cat"], "count": 3, "sum": "40", "firstIndex": 3, "counts": [2, 0, 1]}],
        }],
        "truncated": false,
    });
    assert_eq!(serde_json::to_value(summary).expect("serialises"), expected);
}

#[test]
fn averages_carry_what_they_are_made_of() {
    let rows = vec![(Key::default(), Cell::Avg(Mean { total: -7, count: 2 }))];
    let summary = summarise(&snapshot(Kind::Avg { signed: true }, rows), &Limits::default());
    let expected = json!([{"value": "-3", "count": 2, "sum": "-7"}]);
    assert_eq!(serde_json::to_value(&summary.maps[0].entries).expect("serialises"), expected);
}

#[test]
fn the_largest_rows_come_first_and_the_rest_is_told() {
    let rows = (1..=9u64).map(|n| (Key::from([n]), Cell::Count(n))).collect();
    let summary = summarise(&snapshot(Kind::Count, rows), &Limits { rows_per_map: 2, ..Limits::default() });
    let values: Vec<_> = summary.maps[0].entries.iter().filter_map(|entry| entry.value.as_deref()).collect();
    assert_eq!(values, ["9", "8"]);
    assert_eq!((summary.maps[0].total_entries, summary.truncated), (9, true));
}

#[test]
fn long_text_is_cut_between_characters() {
    let rows = vec![(Key::from(["ééé"]), Cell::Count(1))];
    let summary = summarise(&snapshot(Kind::Count, rows), &Limits { text: 3, ..Limits::default() });
    assert_eq!(summary.maps[0].entries[0].key, ["é.."]);
    assert!(summary.truncated);
}
