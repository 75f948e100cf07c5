//! JSON lines as bpftrace's `-f json` prints them. Differences are listed in [`crate::render`].
//!
//! Every function yields whole lines, each ending with a newline, or nothing where bpftrace prints nothing. Integers
//! that a double cannot hold are strings.

use std::time::Duration;

use crate::event::HelperError;
use crate::order::ordered;
use crate::render::text::divisor;
use crate::render::{graph, text};
use crate::schema::PrintfTo;
use crate::series::{Point, Series};
use crate::snapshot::{Cell, Histogram, Key, Kind, MapData, Snapshot};
use crate::value::{Text, Value};

/// One line for each map that holds something, in name order: what a script leaves behind at its end.
pub fn snapshot(snapshot: &Snapshot) -> String {
    let filled = snapshot.maps.iter().filter(|(_, data)| !data.rows.is_empty());
    filled.map(|(name, data)| map_line(name, data, None, None)).collect()
}

/// What `print(@name, top, div)` prints.
pub fn map_line(name: &str, data: &MapData, top: Option<usize>, div: Option<u64>) -> String {
    let kind = match data.kind {
        Kind::Avg { .. } | Kind::Stats { .. } => "stats",
        Kind::Hist { .. } | Kind::Lhist { .. } => "hist",
        Kind::Tseries { .. } => "tseries",
        _ => "map",
    };
    let cell = |kind: &Kind, shown: &Cell, div| match shown {
        Cell::Tseries(series) => points(kind, series, graph::last(data)),
        _ => cell(kind, shown, div),
    };
    let rows = ordered(data, top);
    let shown = if data.keyed {
        let members = rows.iter().map(|(k, c)| format!("{}: {}", key(k), cell(&data.kind, c, div)));
        let members = members.collect::<Vec<_>>().join(", ");
        (!members.is_empty()).then(|| format!("{{{members}}}"))
    } else {
        let only = rows.first().map(|(_, c)| (*c).clone()).or_else(|| text::empty_cell(data));
        only.map(|only| cell(&data.kind, &only, div))
    };
    shown.map(|shown| line(kind, &format!("{{{}: {shown}}}", string(name)))).unwrap_or_default()
}

/// What `print(value)` prints.
pub fn value_line(printed: &Value) -> String {
    line("value", &value(printed, None))
}

/// What `print(@name[key])` prints.
pub fn cell_line(kind: &Kind, printed: &Cell) -> String {
    line("value", &cell(kind, printed, None))
}

/// What `printf` prints; `filename` is the script's, for `errorf` and `warnf`.
pub fn printf_line(to: PrintfTo, printed: &Text, filename: &str) -> String {
    let (kind, at, column) = match to {
        PrintfTo::Output => return line("printf", &string(&printed.to_str_lossy())),
        PrintfTo::Error(site) => ("errorf", site.at.line, site.at.column),
        PrintfTo::Warning(site) => ("warnf", site.at.line, site.at.column),
    };
    let (msg, filename) = (string(&printed.to_str_lossy()), string(filename));
    format!("{{\"type\": \"{kind}\", \"msg\": {msg}, \"filename\": {filename}, \"line\": {at}, \"col\": {column}}}\n")
}

/// What `time()` prints.
pub fn time_line(printed: &str) -> String {
    line("time", &string(printed))
}

/// What `join()` prints.
pub fn join_line(printed: &Text) -> String {
    line("join", &string(&printed.to_str_lossy()))
}

/// What `cat()` prints.
pub fn cat_line(contents: &Text) -> String {
    line("cat", &string(&contents.to_str_lossy()))
}

/// What `system()` prints.
pub fn system_line(output: &Text) -> String {
    line("syscall", &string(&output.to_str_lossy()))
}

/// What is said once probes are attached.
pub fn attached_probes_line(n: usize) -> String {
    format!("{{\"type\": \"attached_probes\", \"count\": {n}, \"data\": {{\"probes\": {n}}}}}\n")
}

/// What is said when the ring buffer overflowed.
pub fn lost_events_line(n: u64) -> String {
    format!("{{\"type\": \"lost_events\", \"count\": {n}, \"data\": {{\"events\": {n}}}}}\n")
}

/// A failed helper; `filename` is the script's, `reason` the error's own text (`Bad address`).
pub fn helper_error_line(error: &HelperError, reason: &str, filename: &str) -> String {
    let HelperError { helper, code, at, .. } = error;
    let (line, column) = (at.line, at.column);
    let (msg, helper, filename) = (string(reason), string(helper), string(filename));
    format!(
        "{{\"type\": \"helper_error\", \"msg\": {msg}, \"helper\": {helper}, \"retcode\": {code}, \
         \"filename\": {filename}, \"line\": {line}, \"col\": {column}}}\n"
    )
}

/// How a test of the script went.
pub fn test_line(name: &str, took: Duration, passed: bool) -> String {
    let took = took.as_nanos();
    line("test_result", &format!("{{{}: {{\"duration\": {took}, \"passed\": {passed}}}}}", string(name)))
}

/// What one of so many runs of a benchmark took.
pub fn bench_line(name: &str, took: Duration, times: u32) -> String {
    let took = took.as_nanos();
    line("benchmark_result", &format!("{{{}: {{\"average\": {took}, \"iters\": {times}}}}}", string(name)))
}

fn line(kind: &str, data: &str) -> String {
    format!("{{\"type\": \"{kind}\", \"data\": {data}}}\n")
}

/// A key as a member name: text without any space.
fn key(key: &Key) -> String {
    string(&text::key(key).replace(' ', ""))
}

fn cell(kind: &Kind, cell: &Cell, div: Option<u64>) -> String {
    let divided = |n: i128| number(n / divisor(div));
    match cell {
        Cell::Count(n) => divided(i128::from(*n)),
        Cell::Sum(total) => divided(*total),
        Cell::Min(value) | Cell::Max(value) => divided(value.unwrap_or(0)),
        Cell::Avg(mean) => divided(mean.average()),
        Cell::Stats(mean) => {
            let (count, average, total) = (number(i128::from(mean.count)), divided(mean.average()), number(mean.total));
            format!("{{\"count\": {count}, \"average\": {average}, \"total\": {total}}}")
        }
        Cell::Hist(counts) => histogram(kind, counts, div),
        Cell::Lhist(counts) => histogram(kind, counts, None),
        Cell::Tseries(series) => points(kind, series, series.last()),
        Cell::Value(plain) => value(plain, div),
    }
}

fn histogram(kind: &Kind, histogram: &Histogram, div: Option<u64>) -> String {
    let Some((buckets, (first, last))) = kind.buckets().and_then(|b| Some((b, b.span(histogram)?))) else {
        return "[]".to_owned();
    };
    let bucket = |index| {
        let bound =
            |name, bound: Option<i128>| bound.map(|n| format!("\"{name}\": {}, ", number(n))).unwrap_or_default();
        let count = i128::from(histogram.buckets.get(&index).copied().unwrap_or(0)) / divisor(div);
        let (min, max) = (bound("min", buckets.lower(index)), bound("max", buckets.upper(index)));
        format!("{{{min}{max}\"count\": {count}}}")
    };
    format!("[{}]", (first..=last).map(bucket).collect::<Vec<_>>().join(","))
}

fn points(kind: &Kind, series: &Series, last: Option<u64>) -> String {
    let (Kind::Tseries { interval_ns, .. }, Some(last)) = (kind, last) else { return "[]".to_owned() };
    let point = |(interval, point): (&u64, &Point)| {
        let start = graph::moment(*interval, *interval_ns, "%Y-%m-%d %H:%M:%S.%k");
        format!("{{\"interval_start\":\"{start}\",\"value\":{}}}", number(point.value()))
    };
    format!("[{}]", series.points.range(series.window(last)).map(point).collect::<Vec<_>>().join(","))
}

fn value(printed: &Value, div: Option<u64>) -> String {
    let list = |values: &[Value]| {
        let items = values.iter().map(|item| value(item, div)).collect::<Vec<_>>().join(",");
        format!("[{items}]")
    };
    match printed {
        Value::Int(n) => number(i128::from(*n) / divisor(div)),
        Value::Uint(n) => number(i128::from(*n) / divisor(div)),
        Value::Pointer(n) => number(i128::from(*n)),
        Value::Enum { value, .. } => number(i128::from(*value)),
        Value::Bool(b) => b.to_string(),
        Value::Nothing(()) => "null".to_owned(),
        Value::Buf(bytes) => format!("[{}]", bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(",")),
        Value::Array(values) | Value::Tuple(values) => list(values),
        Value::Record(fields) => {
            let members = fields.iter().map(|(name, field)| format!("{}: {}", string(name), value(field, div)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => string(&text::value(other)),
    }
}

/// A number, or its text where a double would change it.
fn number(n: i128) -> String {
    if n as f64 as i128 == n { n.to_string() } else { format!("\"{n}\"") }
}

fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
