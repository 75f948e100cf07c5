//! What cannot be done is refused in words that say why: scripts, selectors and agents.

use std::time::Duration;

use bpfleet_tests::cluster::fleet::{Fleet, NAMESPACE, condition, pod_of};
use bpfleet_tests::cluster::{Answer, eventually};
use serde_json::{Value, json};

const WRONG: &str = "tracepoint:raw_syscalls:sys_enter {\n  @calls[comm] = conut();\n}\n";
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn jobs_that_cannot_run_and_agents_that_may_not_take_part_are_told_why() {
    let Some(mut fleet) = Fleet::start_or_skip() else { return };
    fleet.cluster().create_node("node-d", &[("zone", "d")]);
    let fine = "BEGIN { @ = count(); }";
    let zone =
        |zone: &str| json!({ "script": fine, "duration": "5s", "nodeSelector": { "matchLabels": { "zone": zone } } });
    fleet.trace("wrong-script", &json!({ "script": WRONG, "duration": "5s" }));
    fleet.trace("nowhere", &zone("z"));
    fleet.trace("without-agent", &zone("d"));

    let status = fleet.wait_until_over("wrong-script", PATIENCE);
    assert_the_script_is_refused_as_by_check_and_run(&fleet, &status);

    let status = fleet.wait_until_over("nowhere", PATIENCE);
    assert_eq!((&status["phase"], &status["nodes"]["matched"]), (&json!("Failed"), &json!(0)), "{status}");
    assert_conditions(&status, [("Accepted", "True", "Valid"), ("Scheduled", "False", "NoMatchingNodes")]);
    assert_eq!(condition(&status, "Succeeded")["status"], "False");

    for (node, token, complaint) in strangers(&fleet) {
        fleet.start_agent(node, &token);
        eventually("the refusal", PATIENCE, || match fleet.agent_log(node) {
            log if log.contains(complaint) => Ok(()),
            log => Err(log),
        });
        fleet.kill_agent(node);
    }
    assert_eq!(fleet.connected_agents(), Some(3.0));

    let status = fleet.wait_until_over("without-agent", PATIENCE);
    assert_eq!((&status["phase"], &status["nodes"]["failed"]), (&json!("Failed"), &json!(1)), "{status}");
    assert_conditions(&status, [("Scheduled", "True", "NodesAssigned"), ("Succeeded", "False", "AllNodesFailed")]);
    assert_eq!(
        (&status["failures"][0]["node"], &status["failures"][0]["reason"]),
        (&json!("node-d"), &json!("NoAgent"))
    );
}

fn assert_conditions<const N: usize>(status: &Value, expected: [(&str, &str, &str); N]) {
    for (kind, truth, reason) in expected {
        let found = condition(status, kind);
        assert_eq!((&found["status"], &found["reason"]), (&json!(truth), &json!(reason)), "{status}");
    }
}

/// One text, whoever says it: with line, column, caret and help.
fn assert_the_script_is_refused_as_by_check_and_run(fleet: &Fleet, status: &Value) {
    assert_eq!(status["phase"], "Failed", "{status}");
    assert_conditions(status, [("Accepted", "False", "InvalidScript"), ("Scheduled", "False", "NotAccepted")]);
    let accepted = condition(status, "Accepted");
    let message = accepted["message"].as_str().expect("a message");
    assert!(message.starts_with("wrong-script:2:18-23: ERROR: "), "{message}");
    assert!(message.contains("\n                 ~~~~~\nhelp: did you mean `count`?\n"), "{message}");

    std::fs::write(fleet.cluster().folder().join("wrong-script"), WRONG).expect("a writable folder");
    let checked = Answer::of(&mut fleet.bpfleet(&["check", "wrong-script"]));
    assert_eq!((checked.success, checked.stdout.as_str()), (false, message));
    let run = Answer::of(&mut fleet.bpfleet(&["run", "wrong-script"]));
    assert_eq!((run.success, run.stderr.as_str()), (false, message));
}

/// Agents without the right to be what they say, and what they are told.
fn strangers(fleet: &Fleet) -> [(&'static str, String, &'static str); 3] {
    let pod = pod_of("node-a");
    let of_node_a = fleet.cluster().token(NAMESPACE, "bpfleet-agent", Some(&pod), "bpfleet-operator");
    let for_others = fleet.cluster().token(NAMESPACE, "bpfleet-agent", Some(&pod), "others");
    let of_operator = fleet.cluster().token(NAMESPACE, "bpfleet-operator", None, "bpfleet-operator");
    [
        ("node-d", of_node_a, "403 Forbidden: this token speaks for node node-a, not for node-d"),
        ("node-d", for_others, "401 Unauthorized: "),
        ("node-d", of_operator, "not a token of system:serviceaccount:bpfleet-system:bpfleet-agent"),
    ]
}
