//! The command line of kube-controller-manager: garbage collection, namespaces and service accounts as in a real
//! cluster, but no node lifecycle, since the Node objects of a test have no kubelet and would be tainted.

use std::path::Path;
use std::process::Command;

use super::{Programs, certificates::Certificates, port};

/// A kube-controller-manager for the cluster of `kubeconfig`.
pub fn command(programs: &Programs, kubeconfig: &Path, certificates: &Certificates) -> Command {
    let mut command = Command::new(programs.path("kube-controller-manager"));
    command
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .arg(format!("--service-account-private-key-file={}", certificates.path("tokens.key").display()))
        .arg(format!("--root-ca-file={}", certificates.path("ca.crt").display()))
        .args(["--controllers=*,-nodelifecycle,-nodeipam,-cloud-node-lifecycle", "--leader-elect=false"])
        .args(["--port=0", "--bind-address=127.0.0.1"])
        .arg(format!("--secure-port={}", port::free()));
    command
}
