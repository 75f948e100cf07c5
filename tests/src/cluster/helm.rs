//! The real helm, without a network and with a home of its own.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{Answer, Programs};

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
