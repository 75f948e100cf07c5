//! The harness itself: the real control plane and the real Prometheus behave as the cluster tier takes for granted.

use std::path::Path;
use std::time::Duration;

use bpfleet_tests::cluster::{Cluster, Prometheus, Scrape, eventually, programs};

#[test]
fn a_token_review_tells_the_pod_and_the_audience_of_an_agent_token() {
    let Some(cluster) = Cluster::start_or_skip() else { return };
    cluster.create_namespace("fleet");
    cluster.kubectl(&["-n", "fleet", "create", "serviceaccount", "agent"]).expect();
    cluster.create_node("node-a", &[("zone", "a")]);
    cluster.create_pod("fleet", "agent-a", "agent", "node-a");
    let token = cluster.token("fleet", "agent", Some("agent-a"), "bpfleet-operator");

    let review = review(&cluster, &token, "bpfleet-operator");
    assert_eq!(review["authenticated"], true, "{review}");
    assert_eq!(review["user"]["username"], "system:serviceaccount:fleet:agent");
    assert_eq!(review["user"]["extra"]["authentication.kubernetes.io/pod-name"][0], "agent-a");
    assert_eq!(review["audiences"][0], "bpfleet-operator");
    assert_ne!(self::review(&cluster, &token, "another")["authenticated"], true);

    let pod = cluster.get("fleet", "pod", "agent-a").expect("the pod");
    assert_eq!(pod["spec"]["nodeName"], "node-a");
    cluster.kubectl(&["-n", "fleet", "delete", "pod", "agent-a", "--grace-period=0", "--force"]).expect();
    eventually("end of the token with its pod", Duration::from_secs(30), || {
        match self::review(&cluster, &token, "bpfleet-operator") {
            review if review["authenticated"] == true => Err(review),
            _ => Ok(()),
        }
    });
}

fn review(cluster: &Cluster, token: &str, audience: &str) -> serde_json::Value {
    let review = serde_json::json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
        "spec": { "token": token, "audiences": [audience] },
    });
    let file = cluster.folder().join("review.json");
    std::fs::write(&file, review.to_string()).unwrap();
    let answer = cluster.kubectl(&["create", "-o", "json", "-f", &file.to_string_lossy()]).expect();
    serde_json::from_str::<serde_json::Value>(&answer).unwrap()["status"].clone()
}

#[test]
fn a_service_account_may_do_what_its_role_says_and_nothing_else() {
    let Some(cluster) = Cluster::start_or_skip() else { return };
    cluster.kubectl(&["create", "serviceaccount", "reader"]).expect();
    cluster.kubectl(&["create", "clusterrole", "nodes", "--verb=list", "--resource=nodes"]).expect();
    cluster
        .kubectl(&["create", "clusterrolebinding", "nodes", "--clusterrole=nodes", "--serviceaccount=default:reader"])
        .expect();
    let reader = cluster.service_account_kubeconfig("default", "reader");
    eventually("the new role", Duration::from_secs(10), || {
        let listed = cluster.kubectl_as(&reader, &["get", "nodes"]);
        if listed.success { Ok(()) } else { Err(listed) }
    });
    let refused = cluster.kubectl_as(&reader, &["get", "pods"]);
    assert!(refused.stderr.contains("Forbidden"), "{refused:?}");
}

#[test]
fn owned_objects_vanish_with_their_owner_and_data_survives_a_restart_of_the_server() {
    let Some(mut cluster) = Cluster::start_or_skip() else { return };
    cluster.start_controllers();
    cluster.kubectl(&["create", "configmap", "owner"]).expect();
    let uid = cluster.get("default", "configmap", "owner").expect("the owner")["metadata"]["uid"].clone();
    cluster.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: owned\n  namespace: default\n  \
         ownerReferences: [{{ apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid} }}]\n"
    ));
    cluster.stop_api_server();
    assert!(!cluster.kubectl(&["get", "configmap", "owned"]).success);
    cluster.start_api_server();
    assert!(cluster.get("default", "configmap", "owned").is_some());
    cluster.kubectl(&["delete", "configmap", "owner"]).expect();
    eventually("garbage collection", Duration::from_secs(60), || {
        cluster.get("default", "configmap", "owned").map_or(Ok(()), Err)
    });
}

#[test]
fn every_process_of_a_cluster_ends_with_it() {
    let Some(mut cluster) = Cluster::start_or_skip() else { return };
    cluster.start_controllers();
    let folder = cluster.folder().to_owned();
    eventually("three processes", Duration::from_secs(10), || match processes_naming(&folder) {
        3 => Ok(()),
        count => Err(count),
    });
    drop(cluster);
    assert_eq!(processes_naming(&folder), 0);
    assert!(!folder.exists());
}

fn processes_naming(folder: &Path) -> usize {
    let folder = folder.to_string_lossy();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).contains(&*folder))
        .count()
}

#[test]
fn a_prometheus_scrapes_and_answers_in_both_formats() {
    let Some(found) = programs::or_skip() else { return };
    let source = Prometheus::start(&found, &[], false);
    let address = source.url().trim_start_matches("http://").to_owned();
    for native in [false, true] {
        let scrape = Scrape { job: "source".into(), address: address.clone(), path: "/metrics".into() };
        let prometheus = Prometheus::start(&found, &[scrape], native);
        let up = prometheus.wait_for("up", Duration::from_secs(20), |samples| samples.iter().any(|s| s.value == 1.0));
        assert_eq!(up.len(), 1);
        assert_eq!(up[0].label("job"), "source");
        assert_eq!(prometheus.query("scalar(vector(3))").unwrap()[0].value, 3.0);
        assert!(prometheus.query("sum(").unwrap_err().contains("parse error"));
    }
}
