//! How an operator is to run.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::index::Settings;

/// How an operator is to run.
#[derive(Clone, Debug)]
pub struct OperatorOptions {
    /// Where agents dial: TLS and HTTP/2. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where metrics, health and results are: plain HTTP. Port 0 takes a free one.
    pub public: SocketAddr,
    /// Names under which agents dial, for the certificate: DNS names or addresses.
    pub names: Vec<String>,
    /// How patient the index is.
    pub settings: Settings,
    /// Where jobs and nodes come from, and who the agents are.
    pub source: Source,
}

/// Where jobs and nodes come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// An API server, found as kubectl finds it, or as a pod does.
    Kubernetes(Installation),
    /// A folder.
    Folder(FolderOptions),
}

/// An installation on a cluster.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The namespace of operator and agents.
    pub namespace: String,
    /// The agents' ServiceAccount.
    pub agents: String,
    /// What this operator calls itself in events and in the Lease: the pod's name.
    pub instance: String,
    /// Whether to wait for the Lease `bpfleet-operator` before doing anything, so that several may run.
    pub elect: bool,
}

/// A fleet in a folder.
#[derive(Clone, Debug)]
pub struct FolderOptions {
    /// Where the manifests are.
    pub manifests: PathBuf,
    /// Where statuses and results go; they are also read from there after a restart.
    pub state: PathBuf,
    /// Each node's token.
    pub tokens: Vec<NodeToken>,
}

/// The token of a node's agent.
#[derive(Clone, Debug)]
pub struct NodeToken {
    /// The node's name.
    pub node: String,
    /// What its agent bears.
    pub token: String,
}
