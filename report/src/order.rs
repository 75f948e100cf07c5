//! The order in which a map's rows print, and which of them count as the top.
//!
//! Rules, ascending: count, sum, min, max and plain numbers by value; avg and stats by average; histograms by how much
//! they observed; series by their last interval; everything else by key. Equal rows stay in key order. The largest come last.

use crate::snapshot::{Cell, Kind, MapData};
use crate::{Key, Value};

/// A row.
pub type Row<'a> = (&'a Key, &'a Cell);

/// The rows in print order; only the last `top` of them when given.
pub fn ordered(map: &MapData, top: Option<usize>) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = map.rows.iter().collect();
    if by_weight(map) {
        rows.sort_by_cached_key(|(_, cell)| weight(cell));
    }
    match top {
        Some(top) => rows.split_off(rows.len().saturating_sub(top)),
        None => rows,
    }
}

fn by_weight(map: &MapData) -> bool {
    map.kind != Kind::Value || map.rows.values().all(|cell| matches!(cell, Cell::Value(v) if sorts_by_value(v)))
}

fn sorts_by_value(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Uint(_) | Value::Enum { .. })
}

/// How much a row weighs against its neighbours. An unset min or max weighs what it prints as: 0.
fn weight(cell: &Cell) -> i128 {
    match cell {
        Cell::Count(n) => i128::from(*n),
        Cell::Sum(total) => *total,
        Cell::Min(value) | Cell::Max(value) => value.unwrap_or(0),
        Cell::Avg(mean) | Cell::Stats(mean) => mean.average(),
        Cell::Hist(histogram) | Cell::Lhist(histogram) => i128::from(histogram.count()),
        Cell::Tseries(series) => i128::from(series.last().unwrap_or(0)),
        Cell::Value(value) => value.as_number().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(kind: Kind, cells: impl IntoIterator<Item = Cell>) -> MapData {
        let rows = (0i64..).map(|n| Key::from([n])).zip(cells).collect();
        MapData { rows, ..MapData::empty(kind, true) }
    }

    fn keys(map: &MapData, top: Option<usize>) -> Vec<i128> {
        ordered(map, top).iter().filter_map(|(key, _)| key.0.first()?.as_number()).collect()
    }

    #[test]
    fn numbers_sort_by_value_and_ties_by_key() {
        let values = [9i64, 4, -1, 4].map(|n| Cell::Value(Value::Int(n)));
        assert_eq!(keys(&map(Kind::Value, values), None), [2, 1, 3, 0]);
    }

    #[test]
    fn text_sorts_by_key() {
        let values = ["b", "a", "c"].map(|s| Cell::Value(s.into()));
        assert_eq!(keys(&map(Kind::Value, values), None), [0, 1, 2]);
    }

    #[test]
    fn a_signed_min_sorts_below_zero() {
        let values = [3, -4, 0].map(|n| Cell::Min(Some(n)));
        assert_eq!(keys(&map(Kind::Min { signed: true }, values), None), [1, 2, 0]);
    }

    #[test]
    fn top_keeps_the_largest_in_ascending_order() {
        let counts = map(Kind::Count, [5, 1, 9, 7].map(Cell::Count));
        assert_eq!(keys(&counts, Some(2)), [3, 2]);
        assert_eq!(keys(&counts, Some(9)), [1, 0, 3, 2]);
        assert_eq!(keys(&counts, Some(0)), [0i128; 0]);
    }
}
