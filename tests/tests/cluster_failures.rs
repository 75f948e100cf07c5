//! Agents and operators that die while a job runs: the status says what is true, and what was counted stays counted.

use std::time::Duration;

use bpfleet_tests::cluster::fleet::{Fleet, condition, map};
use bpfleet_tests::cluster::{Attached, Reader, eventually};
use serde_json::{Value, json};

fn counting(reader: &Reader, size: u64, duration: &str) -> Value {
    let script = format!("tracepoint:syscalls:sys_exit_read /{}/ {{ @reads = count(); }}", reader.predicate(&[size]));
    json!({ "script": script, "duration": duration })
}

fn reads(status: &Value) -> Value {
    map(status, "@reads")["entries"][0]["value"].clone()
}

#[test]
fn an_agent_that_dies_is_a_lost_node_and_what_it_had_reported_stays_counted() {
    let Some(mut fleet) = Fleet::start_or_skip() else { return };
    let reader = Reader::new(fleet.cluster().folder(), "lost");
    fleet.trace("lost", &counting(&reader, 3, "12s"));
    fleet.wait_until_running("lost", 3);
    reader.read(3, 100);
    eventually("reports of all three", Duration::from_secs(20), || match fleet.results("lost", "text") {
        Ok(text) if text.contains("@reads: 300") => Ok(()),
        other => Err(other),
    });
    fleet.kill_agent("node-c");
    reader.read(3, 10);

    let status = fleet.wait_until_over("lost", Duration::from_secs(60));
    assert_eq!((&status["phase"], reads(&status)), (&json!("Succeeded"), json!("320")), "{status}");
    assert_eq!(status["nodes"]["succeeded"], 2, "{status}");
    assert_eq!(status["nodes"]["lost"], 1, "{status}");
    let degraded = condition(&status, "Degraded");
    assert_eq!((&degraded["status"], &degraded["reason"]), (&json!("True"), &json!("NodesFailed")), "{status}");
    let failure = &status["failures"][0];
    assert_eq!((&failure["node"], &failure["reason"]), (&json!("node-c"), &json!("NodeLost")), "{status}");
    fleet.wait_until_detached(Duration::from_secs(5));
}

#[test]
fn an_operator_that_dies_loses_nothing_and_agents_keep_the_time_without_it() {
    let Some(mut fleet) = Fleet::start_or_skip() else { return };
    let reader = Reader::new(fleet.cluster().folder(), "again");
    fleet.trace("short", &counting(&reader, 3, "10s"));
    fleet.trace("long", &counting(&reader, 5, "10m"));
    fleet.wait_until_running("short", 3);
    fleet.wait_until_running("long", 3);
    reader.read(3, 100);
    reader.read(5, 100);
    // A running job's status is written at once when its phase changes, its counts follow at intervals.
    let before = fleet.status("long");
    let both: usize = programs(&fleet);
    fleet.kill_operator();
    reader.read(3, 20);
    reader.read(5, 20);
    eventually("the end of the short job on every node", Duration::from_secs(30), || match programs(&fleet) {
        left if left == both / 2 => Ok(()),
        left => Err(left),
    });
    reader.read(3, 4);
    fleet.start_operator();

    let status = fleet.wait_until_over("short", Duration::from_secs(40));
    assert_eq!((&status["phase"], reads(&status)), (&json!("Succeeded"), json!("360")), "{status}");
    assert_eq!(
        (&status["nodes"]["succeeded"], &condition(&status, "Degraded")["status"]),
        (&json!(3), &json!("False")),
        "{status}"
    );

    fleet.wait_until_running("long", 3);
    reader.read(5, 3);
    let cancel = "{\"spec\":{\"cancel\":true}}";
    fleet.cluster().kubectl(&["patch", "tj", "long", "--type=merge", "-p", cancel]).expect();
    let status = fleet.wait_until_over("long", Duration::from_secs(40));
    assert_eq!((&status["phase"], reads(&status)), (&json!("Cancelled"), json!("369")), "{status}");
    for same in ["startTime", "expiresAt", "specHash"] {
        assert!(before[same].is_string() && before[same] == status[same], "{same}: {before} {status}");
    }
    fleet.wait_until_detached(Duration::from_secs(5));
}

/// How many programs all agents hold together.
fn programs(fleet: &Fleet) -> usize {
    fleet.attached().values().map(|of: &Attached| of.programs.len()).sum()
}
