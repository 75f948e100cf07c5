//! What is stored of a job outside the operator: while it runs, what a successor needs; at the end, the full result.

use std::collections::BTreeMap;

use api::status::{NodeLine, TraceJobStatus};
use api::wire::SessionId;
use report::Snapshot;
use report::merge::Merged;
use serde::{Deserialize, Serialize};

use super::results::Contribution;

/// A job's stored state or result. As JSON it is what `GET .../results` and the results ConfigMaps hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Document {
    /// Of a running job.
    Checkpoint(Checkpoint),
    /// Of a job that ended.
    Outcome(Box<Outcome>),
}

/// What a successor cannot learn from the agents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// The script, as it was when the job started.
    pub script: String,
    /// The nodes that were chosen.
    pub nodes: Vec<String>,
    /// Contributions of nodes whose agent may not hold them any more.
    pub orphans: Vec<Orphan>,
}

/// A contribution whose agent may be gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Orphan {
    /// The node.
    pub node: String,
    /// The session.
    pub session: SessionId,
    /// What it had reported.
    pub contribution: Contribution,
}

/// The full result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The status at the end.
    pub status: TraceJobStatus,
    /// Everything added up; plain values by node.
    pub merged: Merged,
    /// What each node contributed. Empty where it did not fit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, Snapshot>,
    /// The last lines printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<NodeLine>,
}

impl Document {
    /// The same without the part per node, where it has one that may be left out.
    #[must_use]
    pub fn without_nodes(self) -> Self {
        match self {
            Self::Outcome(outcome) => Self::Outcome(Box::new(Outcome { nodes: BTreeMap::new(), ..*outcome })),
            checkpoint @ Self::Checkpoint(_) => checkpoint,
        }
    }
}
