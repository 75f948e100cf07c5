//! TraceJobs on a real API server, an operator and three agents that trace this machine's kernel: what comes back is
//! exactly what was there, and nothing stays attached.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use bpfleet_tests::cluster::fleet::{Fleet, JOBS, condition, map};
use bpfleet_tests::cluster::{Reader, check_metrics, eventually, kernel_has_program};
use serde_json::{Value, json};

/// The agents share one kernel: each counts all that happens.
const AGENTS: u64 = 3;

#[test]
fn a_job_adds_up_what_three_nodes_counted_and_ends_with_its_time_box() {
    let Some(fleet) = Fleet::start_or_skip() else { return };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/syscalls-by-comm.yaml");
    fleet.cluster().kubectl(&["apply", "-f", &example.to_string_lossy()]).expect();

    let reader = Reader::new(fleet.cluster().folder(), "sizes");
    let script = format!(
        "tracepoint:syscalls:sys_exit_read /{}/ {{ @reads[comm] = count(); @bytes = hist(args.ret); }}",
        reader.predicate(&[1, 5, 100])
    );
    fleet.trace(
        "sizes",
        &json!({ "script": script, "duration": "10s", "metrics": { "labels": { "@reads": ["comm"] } } }),
    );
    fleet.wait_until_running("sizes", AGENTS);
    reader.read(1, 300);
    reader.read(5, 200);
    reader.read(100, 50);
    let listed = fleet.cluster().kubectl(&["-n", JOBS, "get", "tj", "sizes", "--no-headers"]).expect();
    let columns: Vec<&str> = listed.split_whitespace().collect();
    assert_eq!(columns[..2], ["sizes", "Running"], "{listed}");

    let status = fleet.wait_until_over("sizes", Duration::from_secs(60));
    assert_eq!(status["phase"], "Succeeded", "{status}");
    assert_the_time_box_was_kept(&status, 10);
    fleet.wait_until_detached(Duration::from_secs(5));
    let listed = fleet.cluster().kubectl(&["-n", JOBS, "get", "tj", "sizes", "--no-headers"]).expect();
    let columns: Vec<&str> = listed.split_whitespace().collect();
    assert_eq!(columns[..3], ["sizes", "Succeeded", "3/3"], "{listed}");

    let counted = map(&status, "@reads");
    assert_eq!(counted["entries"], json!([{ "key": [reader.name()], "value": "1650" }]), "{status}");
    let histogram = map(&status, "@bytes")["entries"][0].clone();
    assert_eq!((&histogram["count"], &histogram["sum"]), (&json!(1650), &json!("18900")), "{status}");
    // 1 is alone in bucket 2, 4 to 7 are bucket 4, 64 to 127 are bucket 8.
    assert_eq!(histogram["buckets"], json!({ "firstIndex": 2, "counts": [900, 0, 600, 0, 0, 0, 150] }));
    let text = status["results"]["text"].as_str().expect("a text");
    assert!(text.contains(&format!("@reads[{}]: 1650\n", reader.name())), "{text}");
    assert!(text.contains("[64, 128)            150 |"), "{text}");
    assert_eq!(fleet.results("sizes", "text").as_deref(), Ok(text));
    assert_shares_are_equal(&fleet, "sizes", 550);
    for (kind, reason) in [("Accepted", "Valid"), ("Scheduled", "NodesAssigned"), ("Succeeded", "Completed")] {
        assert_eq!(condition(&status, kind)["status"], "True", "{status}");
        assert_eq!(condition(&status, kind)["reason"], reason);
    }
    assert_eq!(condition(&status, "Degraded")["status"], "False", "{status}");
    assert_results_are_stored(&fleet, &status);

    assert_metrics_are_exact(&fleet, reader.name());
    let example = fleet.wait_until_over("syscalls-by-comm", Duration::from_secs(30));
    assert_eq!((&example["phase"], &example["nodes"]["succeeded"]), (&json!("Succeeded"), &json!(3)), "{example}");
    assert!(example["results"]["text"].as_str().is_some_and(|text| text.starts_with("@syscalls[")), "{example}");
    // Whatever the operator asked of the API server, its role allows.
    let log = fleet.operator_log();
    assert!(!log.contains("forbidden") && !log.contains("WARN") && !log.contains("ERROR"), "{log}");
    let described = fleet.cluster().kubectl(&["-n", JOBS, "describe", "tracejob", "sizes"]).expect();
    assert!(described.contains("tracing on 3 nodes"), "{described}");
}

/// Tracing ended when it was to, which was computed once; what followed was reporting.
fn assert_the_time_box_was_kept(status: &Value, seconds: i64) {
    let time = |name: &str| -> jiff::Timestamp {
        status[name].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no {name} in {status}"))
    };
    let box_seconds = time("expiresAt").as_second() - time("startTime").as_second();
    // Both are whole seconds; the end is never rounded down.
    assert!((seconds..=seconds + 1).contains(&box_seconds), "{status}");
    let after = time("completionTime").as_second() - time("expiresAt").as_second();
    assert!((-1..=10).contains(&after), "{status}");
}

/// What each node contributed, as the full result has it: one share each, and they add up.
fn assert_shares_are_equal(fleet: &Fleet, job: &str, share: u64) {
    let full: Value = serde_json::from_str(&fleet.results(job, "json").expect("results")).expect("JSON");
    let nodes = full["nodes"].as_object().expect("what each node contributed");
    let shares: Vec<(&str, &Value)> =
        nodes.iter().map(|(node, snapshot)| (node.as_str(), &snapshot["@reads"]["rows"][0][1]["c"])).collect();
    let share = json!(share);
    assert_eq!(shares, [("node-a", &share), ("node-b", &share), ("node-c", &share)], "{full}");
}

/// The full result is on the API server, owned by its job.
fn assert_results_are_stored(fleet: &Fleet, status: &Value) {
    assert_eq!(condition(status, "ResultsStored")["status"], "True", "{status}");
    let job = fleet.cluster().get(JOBS, "tracejob", "sizes").expect("the job");
    let uid = job["metadata"]["uid"].as_str().expect("a uid");
    let stored = fleet.cluster().get(JOBS, "configmap", &format!("bpfleet-results-{uid}-0")).expect("the results");
    assert_eq!(stored["metadata"]["ownerReferences"][0]["uid"], uid);
}

fn assert_metrics_are_exact(fleet: &Fleet, comm: &str) {
    let metrics = fleet.metrics();
    let job = "namespace=\"default\",tracejob=\"sizes\"";
    let bytes = |suffix: &str, labels: &str| format!("bpfleet_map_bytes_hist{suffix}{{{labels}{job},map=\"@bytes\"}}");
    let series = |text: &str| {
        let name = text.split('{').next().unwrap_or_default();
        let labels: BTreeSet<&str> =
            text.split(['{', '}']).nth(1).into_iter().flat_map(|labels| labels.split(',')).collect();
        (name.to_owned(), labels.into_iter().map(str::to_owned).collect::<BTreeSet<_>>())
    };
    let value = |wanted: &str| -> Option<f64> {
        let line = metrics.lines().filter(|line| !line.starts_with('#')).find(|line| series(line) == series(wanted))?;
        line.rsplit(' ').next()?.parse().ok()
    };
    let reads = format!("bpfleet_map_reads_total{{{job},map=\"@reads\",comm=\"{comm}\"}}");
    assert_eq!(value(&reads), Some(1650.0), "{metrics}");
    let bounds = [("0.0", 0.0), ("1.0", 900.0), ("3.0", 900.0), ("7.0", 1500.0), ("63.0", 1500.0), ("127.0", 1650.0)];
    for (le, below) in bounds.into_iter().chain([("+Inf", 1650.0)]) {
        assert_eq!(value(&bytes("_bucket", &format!("le=\"{le}\","))), Some(below), "{le}: {metrics}");
    }
    assert_eq!(value(&bytes("_sum", "")), Some(18900.0), "{metrics}");
    assert_eq!(value(&bytes("_count", "")), Some(1650.0), "{metrics}");
    let checked = check_metrics(fleet.cluster().programs(), &metrics, fleet.cluster().folder());
    // promtool reads the older format, in which TYPE and HELP of a counter are about the name with its suffix.
    let complaints = checked.stderr.lines().filter(|line| !line.ends_with("_total no help text"));
    assert_eq!(complaints.collect::<Vec<_>>(), [""; 0], "{metrics}");
}

#[test]
fn a_deleted_job_leaves_nothing_attached_on_any_node_and_a_cancelled_one_keeps_its_results() {
    let Some(fleet) = Fleet::start_or_skip() else { return };
    let reader = Reader::new(fleet.cluster().folder(), "ended");
    let script = format!(
        "tracepoint:syscalls:sys_exit_read /{}/ {{ @reads = count(); }} interval:s:1 {{ @ticks = count(); }}",
        reader.predicate(&[3])
    );
    let spec = json!({ "script": script, "duration": "10m" });
    fleet.trace("deleted", &spec);
    fleet.wait_until_running("deleted", AGENTS);
    let attached = fleet.attached();
    let programs: BTreeSet<u32> = attached.values().flat_map(|of| of.programs.clone()).collect();
    assert!(attached.len() == 3 && attached.values().all(|of| !of.programs.is_empty()), "{attached:?}");
    assert!(programs.iter().all(|program| kernel_has_program(*program)), "{programs:?}");

    fleet.cluster().kubectl(&["-n", JOBS, "delete", "tracejob", "deleted"]).expect();
    // Far less than what is left of ten minutes: the agents were told, they did not wait for a report's turn.
    fleet.wait_until_detached(Duration::from_secs(10));
    eventually("programs unloaded", Duration::from_secs(5), || {
        match programs.iter().find(|program| kernel_has_program(**program)) {
            None => Ok(()),
            Some(left) => Err(*left),
        }
    });

    fleet.trace("cancelled", &spec);
    fleet.wait_until_running("cancelled", AGENTS);
    reader.read(3, 40);
    fleet
        .cluster()
        .kubectl(&["-n", JOBS, "patch", "tj", "cancelled", "--type=merge", "-p", "{\"spec\":{\"cancel\":true}}"])
        .expect();
    let status = fleet.wait_until_over("cancelled", Duration::from_secs(30));
    assert_eq!(
        (&status["phase"], &condition(&status, "Succeeded")["reason"]),
        (&json!("Cancelled"), &json!("Cancelled"))
    );
    assert_eq!(map(&status, "@reads")["entries"], json!([{ "value": "120" }]), "{status}");
    fleet.wait_until_detached(Duration::from_secs(5));
}
