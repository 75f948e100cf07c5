//! Folded stacks, as flame graph tools read them: frames from the outermost in, joined by `;`, then a count.

use std::collections::BTreeMap;

use crate::order::Row;
use crate::schema::StackMode;
use crate::snapshot::{Cell, MapData};
use crate::value::{Stack, Value};

/// Folds a map whose key holds a stack, one line per distinct path. The key's components before its first stack become
/// outer frames (`@[comm, kstack]` groups by comm), those after it inner ones. Offsets within functions are left out.
/// Rows without a stack, or with a weight of 0 or less, are left out too.
pub fn map(data: &MapData) -> String {
    let mut lines: BTreeMap<String, i128> = BTreeMap::new();
    for (path, weight) in data.rows.iter().filter_map(fold) {
        *lines.entry(path).or_default() += weight;
    }
    lines.into_iter().map(|(path, weight)| format!("{path} {weight}\n")).collect()
}

/// Whether any row has a stack in its key.
pub fn has_stacks(data: &MapData) -> bool {
    data.rows.keys().any(|key| key.0.iter().any(|value| matches!(value, Value::Stack(_))))
}

fn fold((key, cell): Row<'_>) -> Option<(String, i128)> {
    let weight = weight(cell).filter(|weight| *weight > 0)?;
    if !key.0.iter().any(|value| matches!(value, Value::Stack(_))) {
        return None;
    }
    let frames = key.0.iter().flat_map(|value| match value {
        Value::Stack(stack) => stack.frames.iter().rev().map(|frame| function(stack, frame)).collect(),
        other => vec![super::text::value(other)],
    });
    let path: Vec<String> = frames.map(|frame| frame.replace(';', ":").replace('\n', " ")).collect();
    Some((path.join(";"), weight))
}

fn weight(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Count(n) => Some(i128::from(*n)),
        Cell::Sum(total) => Some(*total),
        Cell::Min(value) | Cell::Max(value) => *value,
        Cell::Avg(mean) | Cell::Stats(mean) => Some(mean.total),
        Cell::Hist(histogram) | Cell::Lhist(histogram) => Some(histogram.sum),
        Cell::Tseries(_) => None,
        Cell::Value(value) => value.as_number(),
    }
}

/// A frame's function alone: no address before it, no offset behind it.
fn function(stack: &Stack, frame: &str) -> String {
    let symbol = match stack.mode {
        StackMode::Perf => frame.split_once(' ').map_or(frame, |(_, symbol)| symbol),
        _ => frame,
    };
    let (name, module) = match symbol.split_once(" (") {
        Some((name, _)) if stack.mode == StackMode::Perf => (name, symbol.strip_prefix(name).unwrap_or("")),
        _ => (symbol, ""),
    };
    let is_offset = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'x');
    match name.rsplit_once('+') {
        Some((function, offset)) if is_offset(offset) => format!("{function}{module}"),
        _ => symbol.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Key, Kind};

    fn stack(mode: StackMode, frames: &[&str]) -> Value {
        Value::Stack(Stack { mode, frames: frames.iter().map(|f| (*f).to_owned()).collect() })
    }

    fn folded(rows: Vec<(Key, u64)>) -> String {
        let rows = rows.into_iter().map(|(key, n)| (key, Cell::Count(n))).collect();
        map(&MapData { rows, ..MapData::empty(Kind::Count, true) })
    }

    #[test]
    fn frames_run_from_the_outermost_in_and_paths_add_up() {
        let rows = vec![
            (Key(vec![stack(StackMode::Bpftrace, &["read+5", "main+17"]), "cat".into()]), 2),
            (Key(vec![stack(StackMode::Bpftrace, &["read+9", "main+17"]), "cat".into()]), 3),
            (Key(vec!["dd".into(), stack(StackMode::Bpftrace, &["operator+"])]), 1),
        ];
        assert_eq!(folded(rows), "dd;operator+ 1\nmain;read;cat 5\n");
    }

    #[test]
    fn addresses_of_the_perf_mode_are_left_out() {
        let key = Key(vec![stack(StackMode::Perf, &["7f01 read+5 (/lib/libc.so.6)", "40 0x40"])]);
        assert_eq!(folded(vec![(key, 1)]), "0x40;read (/lib/libc.so.6) 1\n");
    }

    #[test]
    fn rows_without_a_stack_are_left_out() {
        assert_eq!(folded(vec![(Key::from(["cat"]), 1)]), "");
    }
}
