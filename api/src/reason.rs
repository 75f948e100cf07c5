//! The closed lists of words a status uses: condition types, their reasons, and why a node failed.
//!
//! A reason is never renamed or reused for something else: people alert on it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The conditions of a TraceJob, all present from the operator's first visit on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionType {
    /// The script and the rest of the spec can be run somewhere.
    Accepted,
    /// Nodes were chosen and told.
    Scheduled,
    /// Some part of the job is missing from its result.
    Degraded,
    /// The full result is stored where it outlives the operator and the agents.
    ResultsStored,
    /// The job ended and has a result; Unknown until it ends.
    Succeeded,
}

impl ConditionType {
    /// All of them, in the order in which they come true.
    pub const ALL: [Self; 5] = [Self::Accepted, Self::Scheduled, Self::Degraded, Self::ResultsStored, Self::Succeeded];
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Why a condition has the status it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Not decided yet.
    Pending,
    /// Accepted: script and spec are valid.
    Valid,
    /// Accepted: the compiler refuses the script; the message is what `bpfleet check` prints.
    InvalidScript,
    /// Accepted: the script exceeds [`crate::limits::SCRIPT_BYTES`].
    ScriptTooLarge,
    /// Accepted: `scriptFrom` names a ConfigMap or a key that does not exist.
    ScriptNotFound,
    /// Accepted: a field of the spec is out of bounds, or two exclude each other.
    InvalidSpec,
    /// Accepted: the spec was changed after the job began; the job was ended early and keeps its results.
    SpecChanged,
    /// Scheduled: nodes have their assignment.
    NodesAssigned,
    /// Scheduled: waiting for agents to connect after the operator's own start.
    WaitingForAgents,
    /// Scheduled: no node matches, or none of the matching ones has an agent.
    NoMatchingNodes,
    /// Scheduled, Succeeded: the job was cancelled.
    Cancelled,
    /// Scheduled, Succeeded: the job was not accepted.
    NotAccepted,
    /// Degraded: every chosen node takes part.
    AllNodesWell,
    /// Degraded: some nodes failed, were refused or were lost.
    NodesFailed,
    /// Degraded: events, stacks, map entries or output lines were dropped.
    DataDropped,
    /// Degraded: the operator's own bound on keys was reached.
    KeysDropped,
    /// ResultsStored: stored.
    Stored,
    /// ResultsStored: stored, but the part per node did not fit.
    StoredWithoutNodes,
    /// ResultsStored: the last attempt failed; it is repeated.
    StoreFailed,
    /// ResultsStored: there is nothing to store.
    NoResults,
    /// Succeeded: running.
    Running,
    /// Succeeded: every node that could ended its session.
    Completed,
    /// Succeeded: no node could run the script to its end.
    AllNodesFailed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Why a node contributes less than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FailureReason {
    /// The script cannot be compiled for this node: a function, tracepoint, type or feature is missing there.
    ScriptUnsupported,
    /// The kernel refused a program.
    LoadFailed,
    /// A program could not be attached.
    AttachFailed,
    /// The agent lacks a capability or the kernel is locked down.
    MissingCapability,
    /// The agent runs as many sessions as it may.
    TooManySessions,
    /// The session broke while it ran.
    SessionFailed,
    /// The script itself ended with a code other than 0.
    ScriptExited,
    /// The node matches, but no agent of it is connected.
    NoAgent,
    /// The agent was not heard of any more; what it had reported is counted.
    NodeLost,
    /// The node was removed while the job ran; what it had reported is counted.
    NodeRemoved,
    /// The agent started anew; what its earlier session had reported is counted, the rest of that session is lost.
    AgentRestarted,
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
