//! From a job's merged maps to series.
//!
//! A family's name is `bpfleet_map_`, the map's name (`anon` for `@`) and a suffix for its kind, so that two jobs may use
//! one name for different kinds of maps. Labels are `namespace`, `tracejob`, `map` and one for each component of the key.
//! Plain values have no series: they belong to a node, and node names are no labels.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use api::wire::Lost;
use prometheus_client::metrics::MetricType;
use report::merge::merge_cell;
use report::order::ordered;
use report::snapshot::{Cell, Histogram, Kind, MapData};
use report::{Buckets, Key, Value, text};

use super::admission::{Admission, Admitted};
use super::native::Native;
use super::table::{self, Described};
use crate::index::Sum;
use crate::index::conditions::shortened;

/// Label names with values, in the order in which they are written.
pub type Labels = Vec<(String, String)>;

/// Most bytes of a label's value.
const LABEL_BYTES: usize = 256;
/// What each key label of an overflow series says.
const OVERFLOW: &str = "__other__";
/// Names that key labels may not take.
const RESERVED: [&str; 4] = ["namespace", "tracejob", "map", "le"];

/// One series' value.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// A counter that may exceed 64 bits.
    Counter(f64),
    /// A counter.
    WholeCounter(u64),
    /// A gauge.
    Gauge(f64),
    /// A histogram.
    Histogram {
        /// The sum of what was observed.
        sum: f64,
        /// How much was observed.
        count: u64,
        /// Inclusive upper bounds, each with how much lies above the bound before and not above this one.
        buckets: Vec<(f64, u64)>,
        /// The same in native buckets, where there is such a form.
        native: Option<Native>,
    },
}

/// Series that share a name.
#[derive(Debug)]
pub struct Family {
    /// Their type.
    pub kind: MetricType,
    /// What they mean.
    pub help: String,
    /// Their labels and values.
    pub series: Vec<(Labels, Sample)>,
}

/// All series of a scrape.
#[derive(Debug, Default)]
pub struct Families {
    by_name: BTreeMap<String, Family>,
}

impl Families {
    /// The families in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Family)> {
        self.by_name.iter()
    }

    /// Adds one series to a family with a fixed name.
    pub fn put(&mut self, described: &Described, labels: Labels, sample: Sample) {
        self.put_named(described.name.to_owned(), described, labels, sample);
    }

    /// Adds one series. Whether its family is of the same type.
    fn put_named(&mut self, name: String, described: &Described, labels: Labels, sample: Sample) -> bool {
        let family = match self.by_name.entry(name) {
            Entry::Occupied(family) => family.into_mut(),
            Entry::Vacant(place) => {
                place.insert(Family { kind: described.kind, help: described.help.to_owned(), series: Vec::new() })
            }
        };
        let fits = same_type(family.kind, described.kind);
        if fits {
            family.series.push((labels, sample));
        }
        fits
    }

    /// Adds every series of a job.
    pub fn add(&mut self, sum: &Sum, admission: &mut Admission) {
        let job =
            vec![("namespace".to_owned(), sum.job.namespace.clone()), ("tracejob".to_owned(), sum.job.name.clone())];
        let admitted = admission.of(&sum.job.uid, &sum.metrics);
        let (mut overflowing, mut conflicting) = (0, 0);
        for (name, map) in sum.merged().total.maps.iter().filter(|(_, map)| map.kind.merges() && !map.rows.is_empty()) {
            let wanted = sum.metrics.labels.get(name).map(Vec::as_slice).unwrap_or_default();
            let map_labels = [job.clone(), vec![("map".to_owned(), name.clone())]].concat();
            let (rows, overflow) = admit(name, map, wanted, admitted);
            overflowing += overflow;
            conflicting += usize::from(!self.add_map(name, map.kind, &map_labels, &rows));
        }
        self.put(&table::OVERFLOW, job.clone(), Sample::Gauge(overflowing as f64));
        self.put(&table::CONFLICTS, job.clone(), Sample::Gauge(conflicting as f64));
        self.add_lost(&job, sum.lost);
    }

    fn add_lost(&mut self, job: &Labels, lost: Lost) {
        let counts =
            [("events", lost.events), ("stacks", lost.stacks), ("elements", lost.elements), ("lines", lost.lines)];
        for (what, count) in counts {
            let labels = [job.clone(), vec![("what".to_owned(), what.to_owned())]].concat();
            self.put(&table::LOST, labels, Sample::WholeCounter(count));
        }
    }

    /// Adds the series of one map. Whether its names were free.
    fn add_map(&mut self, name: &str, kind: Kind, map_labels: &Labels, rows: &BTreeMap<Labels, Cell>) -> bool {
        let bounds = kind.buckets();
        let used = |cell: &Cell| match cell {
            Cell::Hist(histogram) | Cell::Lhist(histogram) => Some(bounds?.span(histogram)?.1),
            _ => None,
        };
        // All rows show the same bounds, so that they can be added up by `le`.
        let through = rows.values().filter_map(used).max().unwrap_or(0);
        let mut fits = true;
        for (key, cell) in rows {
            for (described, sample) in samples(kind, cell, through) {
                let labels = [map_labels.clone(), key.clone()].concat();
                fits &= self.put_named(family_name(name, described), described, labels, sample);
            }
        }
        fits
    }
}

fn same_type(a: MetricType, b: MetricType) -> bool {
    std::mem::discriminant(&a) == std::mem::discriminant(&b)
}

/// The name of a map's family.
fn family_name(map: &str, described: &Described) -> String {
    let map = match map.trim_start_matches('@') {
        "" => "anon".to_owned(),
        name => name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_"),
    };
    format!("bpfleet_map_{map}{}", described.name)
}

/// The rows that get series, by their key labels; those that do not are added up in one. Also how many did not.
fn admit(name: &str, map: &MapData, wanted: &[String], admitted: &mut Admitted) -> (BTreeMap<Labels, Cell>, usize) {
    let cost = map.kind.buckets().map_or(1, |buckets| buckets.count().min(64) as usize + 3);
    let mut rows = BTreeMap::new();
    let mut overflow = 0;
    for (key, cell) in ordered(map, None).into_iter().rev() {
        let labels = key_labels(key, wanted);
        let labels = if admitted.admits(name, &labels, cost) {
            labels
        } else {
            overflow += 1;
            labels.into_iter().map(|(name, _)| (name, OVERFLOW.to_owned())).collect()
        };
        match rows.entry(labels) {
            Entry::Vacant(place) => drop(place.insert(cell.clone())),
            // Cells of one map are of one kind.
            Entry::Occupied(mut sum) => drop(merge_cell(sum.get_mut(), cell)),
        }
    }
    (rows, overflow)
}

fn key_labels(key: &Key, wanted: &[String]) -> Labels {
    let usable = |index: usize, name: &&String| {
        let repeated = wanted.iter().take(index).any(|other| other == *name);
        let valid = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        valid && !repeated && !name.starts_with("__") && !RESERVED.contains(&name.as_str())
    };
    let label = |(index, value): (usize, &Value)| {
        let name = wanted.get(index).filter(|name| usable(index, name)).cloned();
        (name.unwrap_or_else(|| format!("key{index}")), label_value(value))
    };
    key.0.iter().enumerate().map(label).collect()
}

fn label_value(value: &Value) -> String {
    let text = match value {
        Value::Stack(stack) => stack.frames.join(";"),
        other => text::value(other),
    };
    shortened(text, LABEL_BYTES)
}

fn samples(kind: Kind, cell: &Cell, through: u32) -> Vec<(&'static Described, Sample)> {
    match (kind, cell) {
        (_, Cell::Count(count)) => vec![(&table::COUNT, Sample::WholeCounter(*count))],
        (Kind::Sum { signed: true }, Cell::Sum(total)) => vec![(&table::SIGNED_SUM, Sample::Gauge(*total as f64))],
        (_, Cell::Sum(total)) => {
            let sample = u64::try_from(*total).map_or(Sample::Counter(*total as f64), Sample::WholeCounter);
            vec![(&table::SUM, sample)]
        }
        (_, Cell::Min(Some(least))) => vec![(&table::MIN, Sample::Gauge(*least as f64))],
        (_, Cell::Max(Some(greatest))) => vec![(&table::MAX, Sample::Gauge(*greatest as f64))],
        (_, Cell::Avg(mean) | Cell::Stats(mean)) if mean.count > 0 => vec![
            (&table::AVG, Sample::Gauge(mean.total as f64 / mean.count as f64)),
            (&table::OBSERVATIONS, Sample::WholeCounter(mean.count)),
        ],
        (kind, Cell::Hist(histogram) | Cell::Lhist(histogram)) => {
            let sample = kind.buckets().map(|buckets| histogram_sample(buckets, histogram, through));
            sample.into_iter().map(|sample| (&table::HIST, sample)).collect()
        }
        (_, Cell::Tseries(series)) => {
            let last = series.points.last_key_value();
            last.map(|(_, point)| (&table::LATEST, Sample::Gauge(point.value() as f64))).into_iter().collect()
        }
        // Nothing observed yet, or a plain value.
        (_, Cell::Min(None) | Cell::Max(None) | Cell::Avg(_) | Cell::Stats(_) | Cell::Value(_)) => vec![],
    }
}

fn histogram_sample(buckets: Buckets, histogram: &Histogram, through: u32) -> Sample {
    let mut below = 0;
    let each = buckets.classic(histogram, through).into_iter().map(|bound| {
        let own = bound.cumulative.saturating_sub(below);
        below = bound.cumulative;
        (bound.le.map_or(f64::INFINITY, |le| le as f64), own)
    });
    Sample::Histogram {
        buckets: each.collect(),
        sum: histogram.sum as f64,
        count: histogram.count(),
        native: Native::of(buckets, histogram),
    }
}

#[cfg(test)]
mod tests {
    use api::tracejob::Metrics;
    use api::wire::JobUid;
    use report::Snapshot;
    use report::merge::Merged;

    use super::*;
    use crate::index::JobRef;

    fn sum(metrics: Metrics, maps: &[(&str, MapData)]) -> Sum {
        let maps = maps.iter().map(|(name, map)| ((*name).to_owned(), map.clone())).collect();
        let job = JobRef { uid: JobUid("uid".to_owned()), namespace: "tracing".to_owned(), name: "job".to_owned() };
        Sum::of(job, metrics, Merged { total: Snapshot { maps }, ..Merged::default() })
    }

    fn counts(rows: &[(&str, u64)]) -> MapData {
        let rows = rows.iter().map(|(key, count)| (Key::from([*key]), Cell::Count(*count))).collect();
        MapData { rows, ..MapData::empty(Kind::Count, true) }
    }

    fn series(families: &Families, name: &str) -> Vec<(Vec<String>, Sample)> {
        let family = families.by_name.get(name).expect("a family");
        let shown = |labels: &Labels| labels.iter().skip(2).map(|(name, value)| format!("{name}={value}")).collect();
        family.series.iter().map(|(labels, sample)| (shown(labels), sample.clone())).collect()
    }

    fn added(sum: &Sum) -> Families {
        let mut families = Families::default();
        families.add(sum, &mut Admission::default());
        families
    }

    #[test]
    fn key_labels_are_called_as_wished_or_by_their_place() {
        let row = (Key(vec![Value::from("cat"), Value::Uint(7)]), Cell::Count(3));
        let map = MapData { rows: [row].into(), ..MapData::empty(Kind::Count, true) };
        let labels = [("@n".to_owned(), vec!["comm".to_owned(), "le".to_owned()])].into();
        let families = added(&sum(Metrics { labels, ..Metrics::default() }, &[("@n", map)]));
        let expected = vec!["map=@n".to_owned(), "comm=cat".to_owned(), "key1=7".to_owned()];
        assert_eq!(series(&families, "bpfleet_map_n"), [(expected, Sample::WholeCounter(3))]);
    }

    #[test]
    fn rows_beyond_the_cap_are_one_series_and_nothing_is_missing() {
        let rows = counts(&[("a", 1), ("b", 20), ("c", 300), ("d", 4000)]);
        let families = added(&sum(Metrics { max_series: Some(2), ..Metrics::default() }, &[("@", rows)]));
        let shown = series(&families, "bpfleet_map_anon");
        let values: Vec<_> = shown.iter().map(|(labels, sample)| (labels[1].as_str(), sample.clone())).collect();
        let whole = Sample::WholeCounter;
        assert_eq!(values, [("key0=__other__", whole(21)), ("key0=c", whole(300)), ("key0=d", whole(4000))]);
        assert_eq!(series(&families, "bpfleet_job_overflow_rows"), [(vec![], Sample::Gauge(2.0))]);
    }

    #[test]
    fn all_rows_of_a_histogram_show_the_same_bounds() {
        let histogram =
            |buckets: &[(u32, u64)]| Cell::Hist(Histogram { sum: 9, buckets: buckets.iter().copied().collect() });
        let rows = [(Key::from(["a"]), histogram(&[(2, 1)])), (Key::from(["b"]), histogram(&[(1, 2), (4, 3)]))].into();
        let kind = Kind::Hist { bits: 0, signed: true };
        let families = added(&sum(Metrics::default(), &[("@ns", MapData { rows, ..MapData::empty(kind, true) })]));
        let shown = series(&families, "bpfleet_map_ns_hist");
        let bounds = |sample: &Sample| match sample {
            Sample::Histogram { buckets, count, .. } => (buckets.clone(), *count),
            other => panic!("{other:?}"),
        };
        let inf = f64::INFINITY;
        assert_eq!(bounds(&shown[0].1), (vec![(0.0, 0), (1.0, 1), (3.0, 0), (7.0, 0), (inf, 0)], 1));
        assert_eq!(bounds(&shown[1].1), (vec![(0.0, 2), (1.0, 0), (3.0, 0), (7.0, 3), (inf, 0)], 5));
    }

    #[test]
    fn two_types_under_one_name_are_told_apart_or_told() {
        let least = MapData {
            rows: [(Key::default(), Cell::Min(Some(1)))].into(),
            ..MapData::empty(Kind::Min { signed: false }, false)
        };
        let families = added(&sum(Metrics::default(), &[("@x", least), ("@x_min", counts(&[("a", 1)]))]));
        assert_eq!(series(&families, "bpfleet_map_x_min").len(), 1);
        assert_eq!(series(&families, "bpfleet_job_conflicting_maps"), [(vec![], Sample::Gauge(1.0))]);
    }

    #[test]
    fn signed_sums_are_gauges() {
        let map = |signed| {
            let kind = Kind::Sum { signed };
            MapData { rows: [(Key::default(), Cell::Sum(-5))].into(), ..MapData::empty(kind, false) }
        };
        let families = added(&sum(Metrics::default(), &[("@s", map(true))]));
        assert_eq!(series(&families, "bpfleet_map_s_signed_sum")[0].1, Sample::Gauge(-5.0));
    }
}
