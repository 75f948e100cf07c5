//! Text and JSON, byte for byte as bpftrace 0.27 prints them.

use report::event::HelperError;
use report::schema::{Part, PrintfTo, StackMode};
use report::series::{Fold, Point, Series};
use report::{Cell, Histogram, Key, Kind, MapData, Mean, Snapshot, Stack, Value, json, text};

const SIGNED: bool = true;

fn map(kind: Kind, rows: Vec<(Key, Cell)>) -> MapData {
    let keyed = rows.iter().any(|(key, _)| !key.0.is_empty());
    MapData { rows: rows.into_iter().collect(), ..MapData::empty(kind, keyed) }
}

fn single(kind: Kind, cell: Cell) -> MapData {
    map(kind, vec![(Key::default(), cell)])
}

fn plain(value: Value) -> MapData {
    single(Kind::Value, Cell::Value(value))
}

fn observed(kind: Kind, values: &[i64]) -> Cell {
    let buckets = kind.buckets().expect("a histogram");
    let mut histogram = Histogram::default();
    for value in values {
        histogram.sum += i128::from(*value);
        *histogram.buckets.entry(buckets.index_of(*value)).or_default() += 1;
    }
    if matches!(kind, Kind::Hist { .. }) { Cell::Hist(histogram) } else { Cell::Lhist(histogram) }
}

fn key(values: Vec<Value>) -> Key {
    Key(values)
}

const HIST: Kind = Kind::Hist { bits: 0, signed: SIGNED };
const LHIST: Kind = Kind::Lhist { min: 0, max: 10, step: 5, signed: SIGNED };

fn shown(name: &str, data: &MapData) -> (String, String) {
    (text::map(name, data, None, None), json::map_line(name, data, None, None))
}

#[track_caller]
fn check(name: &str, data: &MapData, text: &str, json: &str) {
    let (shown_text, shown_json) = shown(name, data);
    assert_eq!(shown_text, text);
    assert_eq!(shown_json.trim_end_matches('\n'), json);
}

#[test]
fn maps_without_keys() {
    check("@x", &plain(5i64.into()), "@x: 5\n", r#"{"type": "map", "data": {"@x": 5}}"#);
    check("@", &single(Kind::Count, Cell::Count(7)), "@: 7\n", r#"{"type": "map", "data": {"@": 7}}"#);
    check(
        "@m",
        &single(Kind::Min { signed: SIGNED }, Cell::Min(None)),
        "@m: 0\n",
        r#"{"type": "map", "data": {"@m": 0}}"#,
    );
}

#[test]
fn keys_of_several_components() {
    let data = map(Kind::Count, vec![(key(vec!["b c".into(), 2i64.into()]), Cell::Count(5))]);
    check("@m", &data, "@m[b c, 2]: 5\n", r#"{"type": "map", "data": {"@m": {"bc,2": 5}}}"#);
    let nested = Value::Tuple(vec![2i64.into(), 3i64.into()]);
    let data = map(
        Kind::Value,
        vec![(key(vec![1i64.into(), "x".into()]), Cell::Value(Value::Tuple(vec![1i64.into(), nested, "y".into()])))],
    );
    check("@t", &data, "@t[1, x]: (1, (2, 3), y)\n", r#"{"type": "map", "data": {"@t": {"1,x": [1,[2,3],"y"]}}}"#);
}

#[test]
fn values_of_every_type() {
    let record = Value::Record(vec![("m".to_owned(), 2i64.into()), ("n".to_owned(), Value::Bool(true))]);
    check(
        "@r",
        &plain(record),
        "@r: { .m = 2, .n = true }\n",
        r#"{"type": "map", "data": {"@r": {"m": 2, "n": true}}}"#,
    );
    let array = Value::Array(vec![1i64.into(), 2i64.into()]);
    check("@a", &plain(array), "@a: [1,2]\n", r#"{"type": "map", "data": {"@a": [1,2]}}"#);
    check("@p", &plain(Value::Pointer(255)), "@p: 0xff\n", r#"{"type": "map", "data": {"@p": 255}}"#);
    let one = Value::Enum { value: 1, name: Some("ONE".to_owned()) };
    check("@e", &plain(one), "@e: ONE\n", r#"{"type": "map", "data": {"@e": 1}}"#);
    check("@b", &plain(Value::Buf(vec![b'a', 10])), "@b: a\\x0a\n", r#"{"type": "map", "data": {"@b": [97,10]}}"#);
    let quoted = "{\"type\": \"map\", \"data\": {\"@s\": \"a\\\"\\n\\u0001é\"}}";
    check("@s", &plain("a\"\n\u{1}é".into()), "@s: a\"\n\u{1}é\n", quoted);
}

#[test]
fn integers_that_no_double_holds_are_strings() {
    assert_eq!(json::value_line(&Value::Uint(u64::MAX)), "{\"type\": \"value\", \"data\": \"18446744073709551615\"}\n");
    assert_eq!(json::value_line(&Value::Int(1 << 60)), "{\"type\": \"value\", \"data\": 1152921504606846976}\n");
    assert_eq!(json::value_line(&Value::Int((1 << 53) + 1)), "{\"type\": \"value\", \"data\": \"9007199254740993\"}\n");
}

#[test]
fn stats_and_averages() {
    let mean = Mean { total: -3, count: 1 };
    let stats = single(Kind::Stats { signed: SIGNED }, Cell::Stats(mean));
    check(
        "@st",
        &stats,
        "@st: { .count = 1, .average = -3, .total = -3 }\n",
        r#"{"type": "stats", "data": {"@st": {"count": 1, "average": -3, "total": -3}}}"#,
    );
    let avg = map(Kind::Avg { signed: SIGNED }, vec![(Key::from([1i64]), Cell::Avg(Mean { total: 11, count: 2 }))]);
    check("@av", &avg, "@av[1]: 5\n", r#"{"type": "stats", "data": {"@av": {"1": 5}}}"#);
}

#[test]
fn a_histogram_without_keys() {
    let bar = |n: usize| format!("{:<52}", "@".repeat(n));
    let expected = format!(
        "@h:\n\
         (..., 0)               1 |{0}|\n\
         [0]                    1 |{0}|\n\
         [1]                    2 |{1}|\n\
         [2, 4)                 0 |{2}|\n\
         [4, 8)                 1 |{0}|\n\n",
        bar(26),
        bar(52),
        bar(0)
    );
    let json = r#"{"type": "hist", "data": {"@h": [{"max": -1, "count": 1},{"min": 0, "max": 0, "count": 1},{"min": 1, "max": 1, "count": 2},{"min": 2, "max": 3, "count": 0},{"min": 4, "max": 7, "count": 1}]}}"#;
    check("@h", &single(HIST, observed(HIST, &[-3, 0, 1, 1, 5])), &expected, json);
}

#[test]
fn histograms_with_keys_sort_by_how_much_they_saw() {
    let data = map(HIST, vec![(Key::from(["a"]), observed(HIST, &[1, 1])), (Key::from(["b"]), observed(HIST, &[1]))]);
    let bar = "@".repeat(52);
    let expected = format!("@h[b]:\n[1]                    1 |{bar}|\n\n@h[a]:\n[1]                    2 |{bar}|\n\n");
    let json = r#"{"type": "hist", "data": {"@h": {"b": [{"min": 1, "max": 1, "count": 1}], "a": [{"min": 1, "max": 1, "count": 2}]}}}"#;
    check("@h", &data, &expected, json);
}

#[test]
fn a_linear_histogram_is_open_at_both_ends() {
    let json = r#"{"type": "hist", "data": {"@l": [{"max": -1, "count": 1},{"min": 0, "max": 4, "count": 1},{"min": 5, "max": 9, "count": 0},{"min": 10, "count": 1}]}}"#;
    let bar = "@".repeat(52);
    let expected = format!(
        "@l:\n(..., 0)               1 |{bar}|\n[0, 5)                 1 |{bar}|\n[5, 10)                0 |{:52}|\n[10, ...)              1 |{bar}|\n\n",
        ""
    );
    check("@l", &single(LHIST, observed(LHIST, &[-1, 1, 10])), &expected, json);
}

#[test]
fn a_divided_histogram_draws_what_it_shows() {
    let data = single(HIST, observed(HIST, &[1, 2, 2, 2, 2]));
    let bar = "@".repeat(52);
    let expected = format!("@h:\n[1]                    0 |{:52}|\n[2, 4)                 2 |{bar}|\n\n", "");
    assert_eq!(text::map("@h", &data, None, Some(2)), expected);
    assert!(json::map_line("@h", &data, None, Some(2)).contains(r#"{"min": 2, "max": 3, "count": 2}"#));
    let linear = single(LHIST, observed(LHIST, &[1, 1]));
    assert_eq!(text::map("@l", &linear, None, Some(2)), text::map("@l", &linear, None, None));
}

#[test]
fn a_zeroed_histogram_is_a_heading_alone() {
    check("@h", &single(HIST, Cell::Hist(Histogram::default())), "@h:\n\n", r#"{"type": "hist", "data": {"@h": []}}"#);
}

#[test]
fn top_and_div_apply_to_the_largest_rows() {
    let counts = map(
        Kind::Count,
        [(1, 3000), (2, 1000), (3, 2500)].map(|(k, n)| (Key::from([k as i64]), Cell::Count(n))).into(),
    );
    assert_eq!(text::map("@", &counts, Some(2), Some(1000)), "@[3]: 2\n@[1]: 3\n");
    assert_eq!(json::map_line("@", &counts, Some(1), None), "{\"type\": \"map\", \"data\": {\"@\": {\"1\": 3000}}}\n");
}

#[test]
fn stacks_stand_on_lines_of_their_own() {
    let stack = |mode| Value::Stack(Stack { mode, frames: vec!["f+1".to_owned(), "main+2".to_owned()] });
    let data = map(Kind::Count, vec![(key(vec![stack(StackMode::Bpftrace)]), Cell::Count(3))]);
    check(
        "@",
        &data,
        "@[\n        f+1\n        main+2\n]: 3\n",
        r#"{"type": "map", "data": {"@": {"\nf+1\nmain+2\n": 3}}}"#,
    );
    assert_eq!(text::value(&stack(StackMode::Perf)), "\n\tf+1\n\tmain+2\n");
    assert_eq!(text::value(&stack(StackMode::Raw)), "\nf+1\nmain+2\n");
    assert_eq!(
        json::value_line(&stack(StackMode::Bpftrace)),
        "{\"type\": \"value\", \"data\": \"\\n        f+1\\n        main+2\\n\"}\n"
    );
}

#[test]
fn empty_maps_print_nothing_unless_they_have_no_keys() {
    for kind in [Kind::Count, HIST, Kind::Value] {
        check("@", &MapData::empty(kind, true), "", "");
    }
    check("@", &MapData::empty(HIST, false), "", "");
    check("@", &MapData::empty(Kind::Value, false), "@: 0\n", r#"{"type": "map", "data": {"@": 0}}"#);
    check(
        "@",
        &MapData::empty(Kind::Stats { signed: SIGNED }, false),
        "@: { .count = 0, .average = 0, .total = 0 }\n",
        r#"{"type": "stats", "data": {"@": {"count": 0, "average": 0, "total": 0}}}"#,
    );
}

#[test]
fn a_snapshot_prints_what_is_left_in_name_order() {
    let maps = [
        ("@b", plain(1i64.into())),
        ("@a", map(Kind::Count, vec![(Key::from(["k"]), Cell::Count(2))])),
        ("@empty", MapData::empty(Kind::Value, false)),
    ];
    let snapshot = Snapshot { maps: maps.map(|(name, data)| (name.to_owned(), data)).into() };
    assert_eq!(text::snapshot(&snapshot), "\n\n@a[k]: 2\n@b: 1\n");
    assert_eq!(json::snapshot(&snapshot).lines().count(), 2);
}

#[test]
fn lines_for_every_other_event() {
    assert_eq!(
        json::printf_line(PrintfTo::Output, &"hi 3\n".into(), ""),
        "{\"type\": \"printf\", \"data\": \"hi 3\\n\"}\n"
    );
    let to = PrintfTo::Error(Part { line: 1, column: 277, end: 290 }.into());
    assert_eq!(
        json::printf_line(to, &"bad 1".into(), "stdin"),
        "{\"type\": \"errorf\", \"msg\": \"bad 1\", \"filename\": \"stdin\", \"line\": 1, \"col\": 277}\n"
    );
    assert_eq!(json::time_line("00\n"), "{\"type\": \"time\", \"data\": \"00\\n\"}\n");
    assert_eq!(json::join_line(&"ls -l".into()), "{\"type\": \"join\", \"data\": \"ls -l\"}\n");
    assert_eq!(json::cat_line(&"x".into()), "{\"type\": \"cat\", \"data\": \"x\"}\n");
    assert_eq!(json::system_line(&"x".into()), "{\"type\": \"syscall\", \"data\": \"x\"}\n");
    assert_eq!(
        json::attached_probes_line(1),
        "{\"type\": \"attached_probes\", \"count\": 1, \"data\": {\"probes\": 1}}\n"
    );
    assert_eq!(json::lost_events_line(3), "{\"type\": \"lost_events\", \"count\": 3, \"data\": {\"events\": 3}}\n");
    assert_eq!(text::attached_probes(1) + &text::attached_probes(2), "Attached 1 probe\nAttached 2 probes\n");
}

#[test]
fn a_failed_helper_names_itself() {
    let error = HelperError {
        helper: "probe_read_user".to_owned(),
        message: "Bad address".to_owned(),
        code: -14,
        at: Part { line: 1, column: 87, end: 90 },
    };
    assert_eq!(text::helper_error(&error), "Bad address\nAdditional Info - helper: probe_read_user, retcode: -14\n");
    assert_eq!(
        json::helper_error_line(&error, "Bad address", "stdin"),
        "{\"type\": \"helper_error\", \"msg\": \"Bad address\", \"helper\": \"probe_read_user\", \"retcode\": -14, \"filename\": \"stdin\", \"line\": 1, \"col\": 87}\n"
    );
}

#[test]
fn a_message_about_the_script_marks_the_part() {
    let at = Part { line: 2, column: 3, end: 6 };
    let told = text::about("WARNING", "stdin", "begin {\n  f(); }\n", at, "no");
    assert_eq!(told, "stdin:2:3-6: WARNING: no\n  f(); }\n  ~~~\n");
    let beyond = Part { line: 9, column: 1, end: 1 };
    assert_eq!(text::about("ERROR", "x", "", beyond, "no"), "x:9:1-1: ERROR: no\n\n~\n");
}

fn series(values: &[(u64, i128)]) -> Cell {
    let mut series = Series::new(4);
    values.iter().for_each(|(interval, value)| series.add(*interval, Point::Sum(*value)));
    Cell::Tseries(series)
}

const PER_SECOND: Kind = Kind::Tseries { interval_ns: 1_000_000_000, intervals: 4, fold: Fold::Sum, signed: SIGNED };

#[test]
fn a_time_series_is_drawn_between_its_least_and_its_greatest_value() {
    check(
        "@",
        &single(PER_SECOND, series(&[(59, -2), (60, 0), (62, 2)])),
        "\
@:
         -2                                                  2
hh:mm:ss |___________________________________________________|
00:00:59 *                         .                         | -2
00:01:00 |                         *                         | 0
00:01:01 |                         .                         | -
00:01:02 |                         .                         * 2
         v___________________________________________________v
         -2                                                  2

",
        "{\"type\": \"tseries\", \"data\": {\"@\": [\
         {\"interval_start\":\"1970-01-01 00:00:59.000000000\",\"value\":-2},\
         {\"interval_start\":\"1970-01-01 00:01:00.000000000\",\"value\":0},\
         {\"interval_start\":\"1970-01-01 00:01:02.000000000\",\"value\":2}]}}",
    );
}

#[test]
fn all_series_of_a_map_end_with_the_last_interval_of_any() {
    let rows = vec![(Key::from(["old"]), series(&[(3, 7)])), (Key::from(["new"]), series(&[(5, 1), (6, 1)]))];
    let (text, json) = shown("@s", &map(PER_SECOND, rows));
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("00:") || line.starts_with('@')).collect();
    let value = |time: &str, shown: &str| {
        lines.iter().any(|line| line.starts_with(time) && line.ends_with(&format!("| {shown}")))
    };
    assert_eq!(lines.first(), Some(&"@s[old]:"), "the one that ended first comes first");
    assert!(value("00:00:03", "7") && value("00:00:06", "-") && value("00:00:06", "1"), "{text}");
    assert!(json.contains("\"new\": [{\"interval_start\":\"1970-01-01 00:00:05.000000000\",\"value\":1}"), "{json}");
}
