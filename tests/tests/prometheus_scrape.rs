//! A real Prometheus scrapes the operator: what it makes of a merged histogram is what the histogram itself says.

use std::path::Path;
use std::time::Duration;

use bpfleet_tests::cluster::fleet::{Fleet, JOBS, map};
use bpfleet_tests::cluster::{Prometheus, Reader, Scrape};
use bpfleet_tests::dashboard::Dashboard;
use report::hist::Log2;
use report::{Buckets, Histogram, quantile};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);
const HISTOGRAM: &str = "bpfleet_map_bytes_hist_bucket";

#[test]
fn quantiles_over_the_scraped_histogram_are_those_of_the_merged_map() {
    let Some(fleet) = Fleet::start_or_skip() else { return };
    let scrape = Scrape { job: "bpfleet".into(), address: fleet.public_address(), path: "/metrics".into() };
    let prometheus = Prometheus::start(fleet.cluster().programs(), &[scrape], false);
    let reader = Reader::new(fleet.cluster().folder(), "scraped");
    let sizes = [1, 5, 6, 40, 300, 5000, 70_000];
    let script = format!(
        "tracepoint:syscalls:sys_exit_read /{}/ {{ @bytes = hist(args.ret); @reads[comm] = count(); }}",
        reader.predicate(&sizes)
    );
    fleet.trace("scraped", &json!({ "script": script, "duration": "8s" }));
    fleet.wait_until_running("scraped", 3);
    for (bytes, times) in sizes.into_iter().zip([90, 7, 31, 77, 12, 40, 3]) {
        reader.read(bytes, times);
    }
    let status = fleet.wait_until_over("scraped", Duration::from_secs(60));
    let merged = merged_histogram(&status);
    assert_eq!(merged.count(), 3 * 260, "{status}");

    let job = format!("namespace=\"{JOBS}\",tracejob=\"scraped\",map=\"@bytes\"");
    let of_job = |name: &str| format!("{name}{{{job}}}");
    prometheus.wait_for(&of_job("bpfleet_map_bytes_hist_count"), PATIENCE, |samples| {
        samples.iter().any(|sample| sample.value == merged.count() as f64)
    });
    let sum = prometheus.query(&of_job("bpfleet_map_bytes_hist_sum")).expect("the sum");
    assert_eq!(sum[0].value, merged.sum as f64);
    let buckets = Buckets::Log2(Log2 { bits: 0 });
    for q in [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0] {
        let own = quantile::quantile(&buckets, &merged, q).expect("a quantile");
        let expression = format!("histogram_quantile({q}, {})", of_job(HISTOGRAM));
        let scraped = prometheus.query(&expression).expect("a quantile")[0].value;
        assert!((own - scraped).abs() <= 1e-9 * own.abs(), "{q}: {own} in the map, {scraped} in Prometheus");
    }
    assert_the_dashboard_finds_the_job(&prometheus);
}

/// The histogram in a status, as the report crate has it.
fn merged_histogram(status: &Value) -> Histogram {
    let entry = map(status, "@bytes")["entries"][0].clone();
    let first = entry["buckets"]["firstIndex"].as_u64().and_then(|first| u32::try_from(first).ok()).expect("buckets");
    let counts = entry["buckets"]["counts"].as_array().expect("counts").iter().filter_map(Value::as_u64);
    let sum = entry["sum"].as_str().and_then(|sum| sum.parse().ok()).expect("a sum");
    Histogram { sum, buckets: (first..).zip(counts).filter(|(_, count)| *count > 0).collect() }
}

/// Every query of the dashboard has an answer when the variables are what its own variables would offer.
fn assert_the_dashboard_finds_the_job(prometheus: &Prometheus) {
    let dashboard =
        Dashboard::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/bpfleet/dashboards/tracejob.json"));
    let chosen = [
        ("namespace", JOBS),
        ("tracejob", "scraped"),
        ("histogram", HISTOGRAM),
        ("counter", "bpfleet_map_reads_total"),
    ];
    for query in dashboard.queries(&chosen) {
        prometheus.wait_for(&query.expression, PATIENCE, |samples| !samples.is_empty());
    }
}
