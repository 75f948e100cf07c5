//! The real helm, with a home of its own. Charts come from the checkout, never from the network.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{Answer, Cluster, Programs};

/// Runs helm; its caches and settings vanish with the handle.
#[derive(Debug)]
pub struct Helm {
    programs: Programs,
    home: TempDir,
}

impl Helm {
    /// A helm that has never been used before.
    pub fn new(programs: &Programs) -> Helm {
        Helm { programs: programs.clone(), home: tempfile::tempdir().expect("a temporary folder") }
    }

    /// `helm lint --strict CHART ARGS`.
    pub fn lint(&self, chart: &Path, args: &[&str]) -> Answer {
        self.run("lint", &["--strict", &chart.to_string_lossy()], args)
    }

    /// `helm template RELEASE CHART ARGS`: the rendered manifests on standard output.
    pub fn template(&self, release: &str, chart: &Path, args: &[&str]) -> Answer {
        self.run("template", &[release, &chart.to_string_lossy()], args)
    }

    /// `helm install RELEASE CHART --namespace NAMESPACE --create-namespace ARGS` into a cluster, without waiting for pods,
    /// which a cluster without nodes will never run.
    pub fn install(&self, cluster: &Cluster, release: &str, chart: &Path, namespace: &str, args: &[&str]) -> Answer {
        let kubeconfig = cluster.kubeconfig();
        let into = ["--kubeconfig", &*kubeconfig.to_string_lossy(), "--namespace", namespace, "--create-namespace"];
        self.run("install", &[release, &chart.to_string_lossy()], &[&into, args].concat())
    }

    fn run(&self, verb: &str, first: &[&str], rest: &[&str]) -> Answer {
        Answer::of(
            Command::new(self.programs.path("helm"))
                .arg(verb)
                .args(first)
                .args(rest)
                .env("HOME", self.home.path())
                .env_remove("KUBECONFIG"),
        )
    }
}
