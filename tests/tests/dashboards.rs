//! The Grafana dashboards of the chart, without a Grafana: their structure, and every query on a real Prometheus.

use std::collections::BTreeSet;
use std::path::Path;

use bpfleet_tests::cluster::{Prometheus, programs};
use bpfleet_tests::dashboard::Dashboard;

#[test]
fn every_query_of_every_dashboard_runs_on_a_real_prometheus() {
    let Some(found) = programs::or_skip() else { return };
    let prometheus = Prometheus::start(&found, &[], false);
    for dashboard in dashboards() {
        let queries = dashboard.queries(&[]);
        assert!(!queries.is_empty());
        for query in queries {
            prometheus.query(&query.expression).unwrap_or_else(|error| panic!("{}: {error}", query.title));
        }
    }
}

#[test]
fn panels_have_their_own_ids_and_use_the_chosen_data_source() {
    for dashboard in dashboards() {
        let panels = dashboard.panels();
        let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), panels.len());
        for panel in panels {
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
            for target in panel["targets"].as_array().expect("targets") {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
            }
        }
    }
}

#[test]
fn the_merged_histogram_is_drawn_as_a_heatmap_of_its_buckets() {
    let drawn = dashboards().iter().any(|dashboard| {
        dashboard.panels().iter().any(|panel| {
            panel["type"] == "heatmap"
                && panel["targets"][0]["expr"].as_str().is_some_and(|expr| expr.contains("by (le)"))
        })
    });
    assert!(drawn);
}

fn dashboards() -> Vec<Dashboard> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/bpfleet/dashboards");
    let found: Vec<_> = std::fs::read_dir(folder).expect("the dashboards").flatten().collect();
    assert!(!found.is_empty());
    found.iter().map(|entry| Dashboard::read(&entry.path())).collect()
}
