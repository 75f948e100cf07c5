//! Text as bpftrace prints it. Differences are listed in [`crate::render`].
//!
//! Everything ends with a newline but [`value`], which is also what `%s` shows.

use std::fmt::Write as _;

use crate::event::HelperError;
use crate::order::ordered;
use crate::render::graph;
use crate::schema::{Part, StackMode};
use crate::snapshot::{Cell, Histogram, Key, Kind, MapData, Snapshot};
use crate::value::{Stack, Text, Value};

/// All maps that hold something, in name order, after two newlines: what a script leaves behind at its end.
pub fn snapshot(snapshot: &Snapshot) -> String {
    let filled = snapshot.maps.iter().filter(|(_, data)| !data.rows.is_empty());
    filled.fold("\n\n".to_owned(), |text, (name, data)| text + &map(name, data, None, None))
}

/// What `print(@name, top, div)` prints. An empty map without keys prints its zero, other empty maps nothing.
pub fn map(name: &str, data: &MapData, top: Option<usize>, div: Option<u64>) -> String {
    if data.rows.is_empty() {
        return match empty_cell(data) {
            Some(zero) => format!("{name}: {}\n", cell(&data.kind, &zero, None)),
            None => String::new(),
        };
    }
    let mut text = String::new();
    for (key, value) in ordered(data, top) {
        text.push_str(name);
        if data.keyed {
            text.push('[');
            text.push_str(&self::key(key));
            text.push(']');
        }
        let drawn = data.kind.buckets().is_some() || matches!(data.kind, Kind::Tseries { .. });
        text.push_str(if drawn { ":\n" } else { ": " });
        text.push_str(&match value {
            Cell::Tseries(series) => graph::draw(&data.kind, series, graph::last(data)),
            _ => cell(&data.kind, value, div),
        });
        text.push('\n');
    }
    text
}

/// What an empty map without keys holds in print; histograms and keyed maps then print nothing.
pub(crate) fn empty_cell(data: &MapData) -> Option<Cell> {
    if data.keyed {
        return None;
    }
    Some(match data.kind {
        Kind::Count => Cell::Count(0),
        Kind::Sum { .. } => Cell::Sum(0),
        Kind::Min { .. } => Cell::Min(None),
        Kind::Max { .. } => Cell::Max(None),
        Kind::Avg { .. } => Cell::Avg(Default::default()),
        Kind::Stats { .. } => Cell::Stats(Default::default()),
        Kind::Hist { .. } | Kind::Lhist { .. } | Kind::Tseries { .. } => return None,
        Kind::Value => Cell::Value(data.zero.clone().unwrap_or(Value::Int(0))),
    })
}

/// A key without its brackets; the components of several are joined by `, `.
pub fn key(key: &Key) -> String {
    key.0.iter().map(value).collect::<Vec<_>>().join(", ")
}

/// A cell, without a newline at its end unless it is a histogram, whose every row ends with one.
pub fn cell(kind: &Kind, cell: &Cell, div: Option<u64>) -> String {
    let divided = |n: i128| (n / divisor(div)).to_string();
    match cell {
        Cell::Count(n) => divided(i128::from(*n)),
        Cell::Sum(total) => divided(*total),
        Cell::Min(value) | Cell::Max(value) => divided(value.unwrap_or(0)),
        Cell::Avg(mean) => divided(mean.average()),
        Cell::Stats(mean) => {
            let average = divided(mean.average());
            format!("{{ .count = {}, .average = {average}, .total = {} }}", mean.count, mean.total)
        }
        Cell::Hist(counts) => histogram(kind, counts, div),
        Cell::Lhist(counts) => histogram(kind, counts, None),
        Cell::Tseries(series) => graph::draw(kind, series, series.last()),
        Cell::Value(value) => {
            let mut bytes = Vec::new();
            write_value(&mut bytes, value, div);
            Text(bytes).to_string()
        }
    }
}

pub(crate) fn divisor(div: Option<u64>) -> i128 {
    i128::from(div.unwrap_or(1).max(1))
}

/// The widest bar, in characters.
const BAR_WIDTH: f32 = 52.0;

fn histogram(kind: &Kind, histogram: &Histogram, div: Option<u64>) -> String {
    let mut text = String::new();
    let Some((buckets, (first, last))) = kind.buckets().and_then(|b| Some((b, b.span(histogram)?))) else {
        return text;
    };
    // Bars compare what is shown, so after the division.
    let shown = |index: u32| histogram.buckets.get(&index).copied().unwrap_or(0) / div.unwrap_or(1).max(1);
    let max = (first..=last).map(shown).max().unwrap_or(0).max(1);
    for index in first..=last {
        let n = shown(index);
        // Single precision, as bpftrace reckons it: some bars would come out a character longer otherwise.
        let bar = "@".repeat((n as f32 / max as f32 * BAR_WIDTH) as usize);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<16}{n:>8} |{bar:<52}|", buckets.label(index));
    }
    text
}

/// A value, raw bytes and all.
pub fn value_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_value(&mut bytes, value, None);
    bytes
}

/// A value. Stacks begin and end with a newline, as they do everywhere in bpftrace's output.
pub fn value(value: &Value) -> String {
    Text(value_bytes(value)).to_string()
}

fn write_value(out: &mut Vec<u8>, value: &Value, div: Option<u64>) {
    match value {
        Value::Str(text) => out.extend_from_slice(text.as_bytes()),
        Value::Array(elements) => {
            write_list(out, b"[", b",", elements, div);
            out.push(b']');
        }
        Value::Tuple(components) => {
            write_list(out, b"(", b", ", components, div);
            out.push(b')');
        }
        Value::Record(fields) if fields.is_empty() => out.extend_from_slice(b"{}"),
        Value::Record(fields) => {
            for (n, (name, field)) in fields.iter().enumerate() {
                out.extend_from_slice(if n == 0 { b"{ ." } else { b", ." });
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b" = ");
                write_value(out, field, div);
            }
            out.extend_from_slice(b" }");
        }
        single => out.extend(scalar(single, div).into_bytes()),
    }
}

fn write_list(out: &mut Vec<u8>, open: &[u8], separator: &[u8], values: &[Value], div: Option<u64>) {
    out.extend_from_slice(open);
    for (n, value) in values.iter().enumerate() {
        if n > 0 {
            out.extend_from_slice(separator);
        }
        write_value(out, value, div);
    }
}

fn scalar(value: &Value, div: Option<u64>) -> String {
    match value {
        Value::Int(n) => (i128::from(*n) / divisor(div)).to_string(),
        Value::Uint(n) => (i128::from(*n) / divisor(div)).to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Pointer(address) => format!("{address:#x}"),
        Value::Buf(bytes) => buffer(bytes),
        Value::Inet(address) => address.to_string(),
        Value::Mac([a, b, c, d, e, f]) => format!("{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{f:02X}"),
        Value::Stack(frames) => stack(frames),
        Value::Enum { name: Some(name), .. } => name.clone(),
        Value::Enum { value, name: None } => value.to_string(),
        Value::Symbol(text) | Value::Timestamp(text) | Value::Username(text) | Value::CgroupPath(text) => text.clone(),
        Value::Nothing(()) => String::new(),
        // The caller writes these.
        Value::Str(_) | Value::Array(_) | Value::Tuple(_) | Value::Record(_) => String::new(),
    }
}

fn stack(stack: &Stack) -> String {
    let indent = match stack.mode {
        StackMode::Bpftrace => "        ",
        StackMode::Perf => "\t",
        StackMode::Raw | StackMode::BuildId => "",
    };
    stack.frames.iter().fold("\n".to_owned(), |text, frame| text + indent + frame + "\n")
}

/// A buffer: printable ASCII as it is, other bytes as `\xNN`.
pub fn buffer(bytes: &[u8]) -> String {
    let printable = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!("\\x{other:02x}"),
    };
    bytes.iter().map(printable).collect()
}

/// What is said once probes are attached; goes to standard error.
pub fn attached_probes(n: usize) -> String {
    format!("Attached {n} probe{}\n", if n == 1 { "" } else { "s" })
}

/// What is said when the ring buffer overflowed; goes to standard error.
pub fn lost_events(n: u64) -> String {
    format!("Lost {n} events\n")
}

/// A message about a part of the script called `name`: where, what, and that line with a mark under the part.
pub fn about(kind: &str, name: &str, source: &str, at: Part, message: &str) -> String {
    let Part { line, column, end } = at;
    let text = source.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
    let indent = " ".repeat((column as usize).saturating_sub(1));
    let mark = "~".repeat((end.saturating_sub(column) as usize).max(1));
    format!("{name}:{line}:{column}-{end}: {kind}: {message}\n{text}\n{indent}{mark}\n")
}

/// A failed helper, without the script's line: that is for whoever has the script.
pub fn helper_error(error: &HelperError) -> String {
    format!("{}\nAdditional Info - helper: {}, retcode: {}\n", error.message, error.helper, error.code)
}
