//! Time series: which interval a value is kept for, and what becomes of several.

use lang::compiled::Compiled;
use lang::options::Options;

use crate::script::{Script, target};

/// What `@` prints as JSON after values were recorded at times, in nanoseconds.
fn series(call: &str, recorded: &[(u64, i64)]) -> String {
    let source = format!("begin {{ @now = (uint64)0; }} rawtracepoint:record {{ @now = arg0; @ = {call}; }}");
    let settings = vec![("BPFTRACE_DUMMY_TS_MAP".to_owned(), "@now".to_owned())];
    let mut script = Script::on(&target(), &source, &Options { settings, ..Options::default() });
    for (time, value) in recorded {
        script.fire(1, &[time.to_ne_bytes(), value.to_ne_bytes()].concat());
    }
    let snapshot = script.snapshot();
    report::json::map_line("@", &snapshot.maps["@"], None, None)
}

fn points(points: &[(&str, i64)]) -> String {
    let point = |(start, value): &(&str, i64)| {
        format!("{{\"interval_start\":\"1970-01-01 00:00:00.{start}\",\"value\":{value}}}")
    };
    let points: Vec<String> = points.iter().map(point).collect();
    format!("{{\"type\": \"tseries\", \"data\": {{\"@\": [{}]}}}}\n", points.join(","))
}

#[test]
fn the_last_value_of_an_interval_stays() {
    let recorded = [(1_000, 5), (1_999, 7), (2_000, 9)];
    assert_eq!(series("tseries(arg1, 1us, 4)", &recorded), points(&[("000001000", 7), ("000002000", 9)]));
}

#[test]
fn values_of_an_interval_are_folded_as_the_script_says() {
    let recorded = [(1_000, -5), (1_500, 7), (1_600, 4), (3_000, 1)];
    for (fold, folded) in [("avg", 2), ("max", 7), ("min", -5), ("sum", 6)] {
        let call = format!("tseries((int64)arg1, 1us, 4, \"{fold}\")");
        assert_eq!(series(&call, &recorded), points(&[("000001000", folded), ("000003000", 1)]), "{fold}");
    }
}

#[test]
fn unsigned_values_are_compared_as_unsigned() {
    let recorded = [(1_000, 1), (1_500, -1)];
    assert_eq!(series("tseries(arg1, 1us, 4, \"min\")", &recorded), points(&[("000001000", 1)]));
}

#[test]
fn only_the_last_intervals_are_kept() {
    let recorded: Vec<(u64, i64)> = (1..=9).map(|n| (n * 1_000, n as i64)).collect();
    assert_eq!(series("tseries(arg1, 1us, 2)", &recorded), points(&[("000008000", 8), ("000009000", 9)]));
}

#[test]
fn an_interval_that_was_passed_over_is_not_shown() {
    let recorded = [(1_000, 1), (2_000, 2), (6_000, 6)];
    assert_eq!(series("tseries(arg1, 1us, 4)", &recorded), points(&[("000006000", 6)]));
}

#[test]
fn a_series_is_one_element() {
    let Compiled { maps, .. } = Script::new("rawtracepoint:record { @[comm] = tseries(arg0, 1s, 60); }").compiled;
    assert_eq!(maps.first().map(|map| map.value_size), Some(60 * 24));
}
