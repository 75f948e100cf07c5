//! The names of all metrics in one place, with what docs/metrics.md says about them.

use prometheus_client::metrics::MetricType;

/// A metric, or a kind of metric of which each map has its own.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// The family's name, or for those of maps what follows `bpfleet_map_NAME`.
    pub name: &'static str,
    /// Its type.
    pub kind: MetricType,
    /// What it means.
    pub help: &'static str,
    /// Its labels beside those of every map.
    pub labels: &'static str,
}

const fn described(name: &'static str, kind: MetricType, labels: &'static str, help: &'static str) -> Described {
    Described { name, kind, help, labels }
}

/// Connected agents.
pub const AGENTS: Described = described("bpfleet_agents", MetricType::Gauge, "", "Agents that are connected");
/// Jobs by phase.
pub const JOBS: Described = described("bpfleet_jobs", MetricType::Gauge, "phase", "TraceJobs that are known");
/// What nodes dropped.
pub const LOST: Described = described(
    "bpfleet_job_lost",
    MetricType::Counter,
    "namespace, tracejob, what",
    "What a job's sessions dropped: events, stacks, updates of full maps (elements), output lines",
);
/// Rows without a series of their own.
pub const OVERFLOW: Described = described(
    "bpfleet_job_overflow_rows",
    MetricType::Gauge,
    "namespace, tracejob",
    "Rows that share their map's overflow series, since the job has spec.metrics.maxSeries series",
);
/// Maps whose name is taken.
pub const CONFLICTS: Described = described(
    "bpfleet_job_conflicting_maps",
    MetricType::Gauge,
    "namespace, tracejob",
    "Maps that are left out, since another one has a metric of the same name and another type",
);

/// Of `count()`.
pub const COUNT: Described = described("", MetricType::Counter, "", "How often: count()");
/// Of `sum()` of unsigned values.
pub const SUM: Described = described("_sum", MetricType::Counter, "", "The total: sum() of unsigned values");
/// Of `sum()` of signed values.
pub const SIGNED_SUM: Described =
    described("_signed_sum", MetricType::Gauge, "", "The total: sum() of signed values, which may fall");
/// Of `min()`.
pub const MIN: Described = described("_min", MetricType::Gauge, "", "The least value: min()");
/// Of `max()`.
pub const MAX: Described = described("_max", MetricType::Gauge, "", "The greatest value: max()");
/// Of `avg()` and `stats()`.
pub const AVG: Described = described("_avg", MetricType::Gauge, "", "The average: avg() and stats()");
/// Of `avg()` and `stats()`.
pub const OBSERVATIONS: Described =
    described("_observations", MetricType::Counter, "", "How many values avg() and stats() saw");
/// Of `hist()` and `lhist()`.
pub const HIST: Described =
    described("_hist", MetricType::Histogram, "", "The distribution: hist() and lhist(), with exact integer bounds");

/// Of `tseries()`.
pub const LATEST: Described = described("_latest", MetricType::Gauge, "", "The value of the last interval: tseries()");

const OWN: [&Described; 5] = [&AGENTS, &JOBS, &LOST, &OVERFLOW, &CONFLICTS];
const OF_MAPS: [&Described; 9] = [&COUNT, &SUM, &SIGNED_SUM, &MIN, &MAX, &AVG, &OBSERVATIONS, &HIST, &LATEST];

/// The tables of docs/metrics.md, in Markdown: series as they are scraped.
pub fn table() -> String {
    let mut text = "| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for described in OWN {
        text += &row(described.name, described, described.labels);
    }
    text += "\nFor each map `@NAME` of a job:\n\n| metric | type | meaning |\n|---|---|---|\n";
    for described in OF_MAPS {
        let name = format!("bpfleet_map_NAME{}", described.name);
        text += &row(&name, described, "").replace("|  |", "|");
    }
    text
}

fn row(name: &str, described: &Described, labels: &str) -> String {
    let (kind, series) = match described.kind {
        MetricType::Counter => ("counter", format!("`{name}_total`")),
        MetricType::Histogram => ("histogram", format!("`{name}_bucket`, `{name}_sum`, `{name}_count`")),
        _ => ("gauge", format!("`{name}`")),
    };
    format!("| {series} | {kind} | {labels} | {} |\n", described.help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_as_many_cells_as_its_heading() {
        let table = table();
        let cells: Vec<usize> =
            table.lines().filter(|line| line.starts_with('|')).map(|line| line.matches('|').count()).collect();
        assert_eq!(cells, [vec![5; 2 + OWN.len()], vec![4; 2 + OF_MAPS.len()]].concat());
    }
}
