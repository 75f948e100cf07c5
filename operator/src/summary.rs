//! A merged result in the bounded form that a status holds. What to keep of a map is decided by [`report::status`]; here
//! it becomes the resource's types, and the whole is kept within what a status may weigh.

use api::limits;
use api::status::{Buckets, Entry, LinearBounds, MapKind, MapResult, Results};
use report::merge::Merged;
use report::snapshot::{Kind, Snapshot};
use report::status::{Limits, ResultEntry, ResultMap, summarise};
use report::text;

use crate::index::conditions::shortened;

/// Most bytes of one component of a key, or of a value.
const TEXT_BYTES: usize = 512;

/// The bounded form of `merged`; `truncated` says that something is missing in it already.
pub fn results(merged: &Merged, truncated: bool) -> Results {
    let flat = merged.flatten();
    let (maps, maps_truncated) = bounded_maps(&flat);
    let whole = text::snapshot(&flat);
    let (text, text_truncated) = beginning(whole.trim_start_matches('\n'), limits::STATUS_TEXT_BYTES);
    Results { maps, truncated: truncated || maps_truncated || text_truncated, text }
}

/// The maps with as many entries as fit.
fn bounded_maps(flat: &Snapshot) -> (Vec<MapResult>, bool) {
    let mut rows = limits::STATUS_ENTRIES_ALL;
    loop {
        let (maps, truncated) = maps(flat, rows);
        let bytes = serde_json::to_string(&maps).map_or(usize::MAX, |json| json.len());
        if rows == 0 || bytes <= limits::STATUS_MAPS_BYTES {
            return (maps, truncated);
        }
        rows /= 2;
    }
}

fn maps(flat: &Snapshot, rows: usize) -> (Vec<MapResult>, bool) {
    let limits = Limits {
        maps: limits::STATUS_MAPS,
        rows_per_map: limits::STATUS_ENTRIES,
        rows,
        // Room for the mark that a cut text ends with.
        text: TEXT_BYTES - 2,
    };
    let summary = summarise(flat, &limits);
    let mut truncated = summary.truncated;
    let maps = summary
        .maps
        .into_iter()
        .filter_map(|map| Some((flat.maps.get(&map.name)?.kind, map)))
        .map(|(kind, map)| map_result(kind, map, &mut truncated))
        .collect();
    (maps, truncated)
}

fn map_result(kind: Kind, map: ResultMap, truncated: &mut bool) -> MapResult {
    let (kind, linear, bits) = match kind {
        Kind::Count => (MapKind::Count, None, None),
        Kind::Sum { .. } => (MapKind::Sum, None, None),
        Kind::Min { .. } => (MapKind::Min, None, None),
        Kind::Max { .. } => (MapKind::Max, None, None),
        Kind::Avg { .. } => (MapKind::Avg, None, None),
        Kind::Stats { .. } => (MapKind::Stats, None, None),
        Kind::Hist { bits, .. } => (MapKind::Hist, None, (bits > 0).then_some(bits)),
        Kind::Lhist { min, max, step, .. } => (MapKind::Lhist, Some(LinearBounds { min, max, step }), None),
        Kind::Tseries { .. } => (MapKind::Tseries, None, None),
        Kind::Value => (MapKind::Value, None, None),
    };
    let listed = i64::try_from(map.entries.len()).unwrap_or(i64::MAX);
    MapResult {
        name: shortened(map.name, 256),
        kind,
        linear,
        bits,
        entries: map.entries.into_iter().map(|row| entry(kind, row, truncated)).collect(),
        omitted: map.total_entries.saturating_sub(listed),
    }
}

fn entry(kind: MapKind, row: ResultEntry, truncated: &mut bool) -> Entry {
    let mut key = row.key;
    // `Merged::flatten` puts the node before the key of values that are not merged.
    let node = (kind == MapKind::Value && !key.is_empty()).then(|| key.remove(0));
    *truncated |= key.len() > limits::STATUS_KEY_PARTS || row.counts.len() > limits::STATUS_BUCKETS;
    key.truncate(limits::STATUS_KEY_PARTS);
    let buckets = row
        .first_index
        .and_then(|first| u32::try_from(first).ok())
        .filter(|_| row.counts.len() <= limits::STATUS_BUCKETS)
        .map(|first_index| Buckets { first_index, counts: row.counts });
    Entry { key, node, value: row.value, count: row.count, sum: row.sum, buckets }
}

/// The whole lines from the beginning that fit into so many bytes, and whether some did not.
fn beginning(text: &str, bytes: usize) -> (String, bool) {
    if text.len() <= bytes {
        return (text.to_owned(), false);
    }
    let fitting = &text[..text.floor_char_boundary(bytes)];
    let end = fitting.rfind('\n').map_or(0, |end| end + 1);
    (fitting[..end].to_owned(), true)
}

#[cfg(test)]
mod tests {
    use report::{Cell, Histogram, Key, MapData, Value};

    use super::*;

    fn merged(name: &str, kind: Kind, rows: impl IntoIterator<Item = (Key, Cell)>) -> Merged {
        let map = MapData { rows: rows.into_iter().collect(), ..MapData::empty(kind, true) };
        let mut merged = Merged::default();
        let dropped = merged.add("node-a", &Snapshot { maps: [(name.to_owned(), map)].into() });
        assert!(dropped.is_empty());
        merged
    }

    #[test]
    fn the_largest_entries_come_first_and_the_rest_is_told() {
        let rows = (0..100u64).map(|n| (Key::from([n]), Cell::Count(n)));
        let results = results(&merged("@", Kind::Count, rows), false);
        let map = &results.maps[0];
        assert_eq!((map.kind, map.entries.len(), map.omitted), (MapKind::Count, 32, 68));
        assert_eq!(map.entries[0].value.as_deref(), Some("99"));
        assert!(results.truncated);
        assert!(results.text.ends_with("@[99]: 99\n"), "{}", results.text);
    }

    #[test]
    fn a_histogram_lists_its_buckets_without_gaps() {
        let histogram = Histogram { sum: 70, buckets: [(3, 2), (5, 1)].into() };
        let kind = Kind::Hist { bits: 0, signed: true };
        let results = results(&merged("@", kind, [(Key::from(["cat"]), Cell::Hist(histogram))]), false);
        let entry = &results.maps[0].entries[0];
        assert_eq!(entry.buckets, Some(Buckets { first_index: 3, counts: vec![2, 0, 1] }));
        assert_eq!((entry.count, entry.sum.as_deref(), &entry.key), (Some(3), Some("70"), &vec!["cat".to_owned()]));
        assert!(!results.truncated);
    }

    #[test]
    fn a_plain_value_names_its_node() {
        let rows = [(Key::from([7u64]), Cell::Value(Value::from("x")))];
        let results = results(&merged("@last", Kind::Value, rows), false);
        let entry = &results.maps[0].entries[0];
        assert_eq!((entry.node.as_deref(), entry.value.as_deref()), (Some("node-a"), Some("x")));
        assert_eq!(entry.key, ["7"]);
    }

    #[test]
    fn long_keys_cannot_make_a_status_too_large() {
        let long = "x".repeat(5000);
        let key = |n: u64| Key((0..20).map(|_| Value::from(long.as_str())).chain([Value::Uint(n)]).collect());
        let results = results(&merged("@", Kind::Count, (0..100).map(|n| (key(n), Cell::Count(n)))), false);
        let bytes = serde_json::to_string(&results).expect("serialises").len();
        assert!(bytes <= limits::STATUS_MAPS_BYTES + 2 * limits::STATUS_TEXT_BYTES, "{bytes}");
        assert!(results.truncated && results.text.len() <= limits::STATUS_TEXT_BYTES);
    }

    #[test]
    fn a_text_is_cut_after_a_whole_line() {
        assert_eq!(beginning("aa\nbb\n", 6), ("aa\nbb\n".to_owned(), false));
        assert_eq!(beginning("aa\nbb\n", 5), ("aa\n".to_owned(), true));
        assert_eq!(beginning("aaaaaa", 5), (String::new(), true));
    }
}
