//! Time series as bpftrace draws them: a line for each interval, with a star where its value is between least and greatest.
//!
//! Times are UTC: what is drawn may come from nodes of many zones.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::series::{Point, Series};
use crate::snapshot::{Cell, Kind, MapData};
use crate::strftime::strftime;

/// Characters from margin to margin.
const WIDTH: usize = 53;
/// Characters of the least value above and below the graph; the greatest has the rest.
const LEAST_WIDTH: usize = 21;

/// The last interval for which any row of a map has a point: where the graphs of all its rows end.
pub(crate) fn last(data: &MapData) -> Option<u64> {
    let last = |cell: &Cell| match cell {
        Cell::Tseries(series) => series.last(),
        _ => None,
    };
    data.rows.values().filter_map(last).max()
}

/// When an interval starts, in a format of `strftime`.
pub(crate) fn moment(interval: u64, interval_ns: u64, format: &str) -> String {
    let since = SignedDuration::from_nanos_i128(i128::from(interval) * i128::from(interval_ns));
    let start = Timestamp::UNIX_EPOCH.checked_add(since).unwrap_or(Timestamp::MAX);
    strftime(format, &start.to_zoned(TimeZone::UTC))
}

/// A series, from its first point to the interval `last`.
pub(crate) fn draw(kind: &Kind, series: &Series, last: Option<u64>) -> String {
    const NOTHING: &str = "<no data>";
    let (Kind::Tseries { interval_ns, signed, .. }, Some(last)) = (kind, last) else { return NOTHING.to_owned() };
    let values = || series.points.range(series.window(last)).map(|(_, point)| point.value());
    let (Some(least), Some(greatest)) = (values().min(), values().max()) else { return NOTHING.to_owned() };
    let scale = Scale::of(least, greatest, *signed);
    let first = series.points.range(series.window(last)).next().map_or(last, |(interval, _)| *interval);
    let time = Time::of(if first == last { 0 } else { *interval_ns });

    let (indent, ends) = (" ".repeat(time.width + 1), scale.ends());
    // Writing to a string cannot fail.
    let mut text = format!("{indent}{ends}\n");
    let _ = writeln!(text, "{}{}|{}|", time.title, " ".repeat(time.gap()), "_".repeat(WIDTH - 2));
    for interval in first..=last {
        let point = series.points.get(&interval).map(Point::value);
        let shown = point.map_or_else(|| "-".to_owned(), |value| value.to_string());
        let _ = writeln!(text, "{} {} {shown}", moment(interval, *interval_ns, time.format), scale.line(point));
    }
    let _ = writeln!(text, "{indent}v{}v\n{indent}{ends}", "_".repeat(WIDTH - 2));
    text
}

/// How times are written: to the unit that tells intervals apart.
struct Time {
    title: &'static str,
    format: &'static str,
    width: usize,
}

impl Time {
    fn of(interval_ns: u64) -> Self {
        let (title, format, width) = match interval_ns {
            0..=999 => ("hh:mm:ss.ns", "%H:%M:%S.%k", 18),
            1_000..=999_999 => ("hh:mm:ss.μs", "%H:%M:%S.%f", 15),
            1_000_000..=999_999_999 => ("hh:mm:ss.ms", "%H:%M:%S.%l", 12),
            _ => ("hh:mm:ss", "%H:%M:%S", 8),
        };
        Time { title, format, width }
    }

    fn gap(&self) -> usize {
        (self.width + 1).saturating_sub(self.title.len())
    }
}

/// From which to which value a graph goes.
struct Scale {
    least: i128,
    greatest: i128,
}

impl Scale {
    /// A single value gets room on both sides, where there is any.
    fn of(least: i128, greatest: i128, signed: bool) -> Self {
        if least != greatest {
            return Scale { least, greatest };
        }
        let (lowest, highest) = if signed { (i64::MIN.into(), i64::MAX.into()) } else { (0, u64::MAX.into()) };
        Scale { least: (least - 1).max(lowest).min(least), greatest: (greatest + 1).min(highest).max(greatest) }
    }

    fn ends(&self) -> String {
        format!("{:<LEAST_WIDTH$}{:>rest$}", self.least, self.greatest, rest = WIDTH - LEAST_WIDTH)
    }

    /// Single precision, as bpftrace reckons it.
    fn at(&self, value: i128, width: usize) -> usize {
        let part = |n: i128| (n - self.least) as f32;
        ((width as f32 * part(value) / part(self.greatest)) as usize).min(WIDTH - 1)
    }

    fn line(&self, point: Option<i128>) -> String {
        let mut line = vec![' '; WIDTH];
        let mut put = |at: usize, mark: char| line.get_mut(at).into_iter().for_each(|place| *place = mark);
        put(0, '|');
        put(WIDTH - 1, '|');
        if self.least < 0 && self.greatest > 0 {
            put(self.at(0, WIDTH), '.');
        }
        if let Some(value) = point {
            put(self.at(value, WIDTH - 1), '*');
        }
        line.into_iter().collect()
    }
}
