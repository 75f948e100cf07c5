//! The Helm chart: real helm lints and renders it, a real API server takes it, and what it grants is what it says.

use std::path::{Path, PathBuf};

use bpfleet_tests::cluster::{Cluster, Helm, programs};
use serde_json::Value;

const NAMESPACE: &str = "bpfleet-system";

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/bpfleet")
}

/// Values that reach every template and every branch.
const VARIANTS: [&[&str]; 4] = [
    &[],
    &["--set", "operator.replicas=3,agent.sysAdmin=true,agent.extraCapabilities={SYS_RESOURCE}"],
    &["--set", "networkPolicy.enabled=false,dashboards.enabled=false,metrics.serviceMonitor.enabled=false"],
    &["--set", "image.pullSecrets[0].name=registry,agent.seccompProfile.type=Unconfined,operator.priorityClassName=p"],
];

#[test]
fn helm_lints_the_chart_without_a_complaint() {
    let Some(found) = programs::or_skip() else { return };
    let helm = Helm::new(&found);
    for values in VARIANTS {
        let said = helm.lint(&chart(), values).expect();
        assert!(!said.contains("[WARNING]") && !said.contains("[ERROR]"), "{said}");
    }
}

#[test]
fn the_schema_refuses_values_that_mean_nothing() {
    let Some(found) = programs::or_skip() else { return };
    let helm = Helm::new(&found);
    for wrong in [
        "operator.replicas=0",
        "operator.replica=2",
        "image.pullPolicy=Sometimes",
        "agent.extraCapabilities={CAP_SYS_RESOURCE}",
        "agent.tracefs=tracing",
    ] {
        let answer = helm.template("bpfleet", &chart(), &["--set", wrong]);
        assert!(!answer.success && answer.stderr.contains("schema"), "{wrong}: {answer:?}");
    }
}

#[test]
fn optional_objects_appear_where_they_make_sense() {
    let Some(found) = programs::or_skip() else { return };
    let helm = Helm::new(&found);
    let render = |args: &[&str]| helm.template("bpfleet", &chart(), args).expect();
    let plain = render(&[]);
    assert!(!plain.contains("kind: ServiceMonitor"), "that kind is not part of Kubernetes");
    assert!(plain.contains("helm.sh/resource-policy: keep"));
    assert!(plain.contains("x-kubernetes-validations:"));
    assert!(plain.contains("kind: NetworkPolicy"));

    let replicated = render(&["--set", "operator.replicas=2"]);
    // Those that wait for the Lease are not ready: a budget would keep the elected one from ever being evicted.
    assert!(!replicated.contains("kind: PodDisruptionBudget"));
    let monitored = render(&["--api-versions", "monitoring.coreos.com/v1/ServiceMonitor"]);
    assert!(monitored.contains("kind: ServiceMonitor"));
    let old = render(&["--kube-version", "1.20.2"]);
    assert!(!old.contains("x-kubernetes-validations"), "clients of such a server refuse to send what it does not know");
}

#[test]
fn the_api_server_accepts_every_rendered_manifest() {
    let Some(cluster) = Cluster::start_or_skip() else { return };
    let helm = Helm::new(cluster.programs());
    cluster.create_namespace(NAMESPACE);
    for values in VARIANTS {
        let rendered =
            helm.template("bpfleet", &chart(), &[values, &["-n", NAMESPACE, "--kube-version", "1.20.2"]].concat());
        let file = cluster.folder().join("rendered.yaml");
        std::fs::write(&file, rendered.expect()).unwrap();
        let accepted = cluster.kubectl(&["apply", "--dry-run=server", "-f", &file.to_string_lossy()]).expect();
        for object in [
            "deployment.apps/bpfleet-operator",
            "daemonset.apps/bpfleet-agent",
            "pod/bpfleet-test-check",
            "tracejobs.bpfleet.dev",
        ] {
            assert!(accepted.contains(object), "{accepted}");
        }
        assert!(accepted.lines().all(|line| line.ends_with("(server dry run)")), "{accepted}");
    }
}

#[test]
fn an_installed_release_takes_examples_and_keeps_its_promises() {
    let Some(cluster) = Cluster::start_or_skip() else { return };
    let helm = Helm::new(cluster.programs());
    helm.install(&cluster, "bpfleet", &chart(), NAMESPACE, &["--set", "operator.replicas=2"]).expect();

    for example in examples() {
        cluster.kubectl(&["apply", "-f", &example.to_string_lossy()]).expect();
    }
    assert!(cluster.kubectl(&["get", "tj"]).expect().contains("syscalls-by-comm"));

    let agent = cluster.service_account_kubeconfig(NAMESPACE, "bpfleet-agent");
    let nothing = cluster.kubectl_as(&agent, &["auth", "can-i", "--list", "--no-headers"]).expect();
    assert!(nothing.lines().all(|line| line.contains("[create]") && line.contains("self") || line.contains("[get]")));
    for forbidden in ["pods", "nodes", "secrets", "tracejobs", "tokenreviews"] {
        let said = cluster.kubectl_as(&agent, &["auth", "can-i", "list", forbidden, "--all-namespaces"]);
        assert_eq!((said.success, said.stdout.trim()), (false, "no"), "an agent may list {forbidden}");
    }

    let pod = &cluster.get(NAMESPACE, "daemonset", "bpfleet-agent").expect("the agents")["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["containers"][0]["securityContext"]["privileged"], false);
    assert_eq!(pod["containers"][0]["ports"], Value::Null, "agents open no port");
    assert_eq!(pod["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]["audience"], "bpfleet-operator");
}

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let entries = std::fs::read_dir(folder).expect("the examples").flatten();
    let found: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
    assert!(!found.is_empty());
    found
}
