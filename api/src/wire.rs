//! The messages between an agent and the operator. JSON over HTTP/2 and TLS; the agent dials.
//!
//! * `GET` [`assignments_path`] answers with a stream of [`StreamLine`]s, one JSON document a line. Each
//!   [`Desired`] is the complete wish for the node, so a lost one does no harm.
//! * `POST` [`reports_path`] takes a [`Report`] and answers with a [`Reply`]. A session has one report under way at a time
//!   and sends it again until it is answered; the operator ignores what it has seen.
//!
//! What a report carries is the type parameter `P`: a patch against the report of sequence number `base`, or against
//! nothing. Leaves to the operator and the agent what they conclude from a message.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::reason::FailureReason;

/// The `metadata.uid` of a TraceJob.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobUid(pub String);

impl fmt::Display for JobUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One run of a job on a node: new at each start, unique across nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub String);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an agent reads its assignments.
pub fn assignments_path(node: &str) -> String {
    format!("/v1/agents/{node}/assignments")
}

/// Where an agent posts its reports.
pub fn reports_path(node: &str) -> String {
    format!("/v1/agents/{node}/reports")
}

/// One line of the assignment stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StreamLine {
    /// What the node shall do from now on.
    Desired(Desired),
    /// Nothing changed; the operator lives. Sent every [`crate::limits::HEARTBEAT`].
    Heartbeat {},
}

/// Everything one node shall do. A job that is not in it shall not run and its results are no longer wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Desired {
    /// In the order of their uid.
    pub assignments: Vec<Assignment>,
}

/// One job for one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// Which job.
    pub job: JobUid,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The script's text.
    pub script: String,
    /// The script's arguments.
    pub args: Vec<String>,
    /// Time left until the job's end, in milliseconds, when this was sent. The agent counts it on its own monotonic clock
    /// and never extends an end that it already knows.
    pub remaining_ms: u64,
    /// End early and report what was counted.
    pub stop: bool,
    /// What the session may use.
    pub limits: SessionLimits,
    /// How often to report, in milliseconds.
    pub report_interval_ms: u64,
    /// What the operator holds from this node's sessions of the job. An agent whose session is missing here, or is here
    /// with an older report than was acknowledged, sends everything it has: the operator lost its state.
    pub have: Vec<Have>,
}

/// What one session may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionLimits {
    /// Elements of each map.
    pub map_entries: u32,
    /// Lines of output.
    pub output_lines: u32,
}

/// The last report the operator has from a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// Which session.
    pub session: SessionId,
    /// The report's number.
    pub seq: u64,
}

/// What a session counted since a report before, or altogether.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<P> {
    /// Which session.
    pub session: SessionId,
    /// Which job.
    pub job: JobUid,
    /// Its number, from 1, growing with each new report of the session.
    pub seq: u64,
    /// The report that `patch` applies to; absent when it applies to nothing, that is, holds everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
    /// The difference.
    pub patch: P,
    /// Lines printed since the report before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<String>,
    /// What was dropped since the session began.
    #[serde(default)]
    pub lost: Lost,
    /// How the session is.
    pub state: SessionState,
    /// Attach points in place.
    pub probes: u32,
}

/// What a session dropped since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Lost {
    /// Events that found the ring buffer full.
    pub events: u64,
    /// Stacks that found no place.
    pub stacks: u64,
    /// Updates of elements that found their map full.
    pub elements: u64,
    /// Lines of output beyond the limit.
    pub lines: u64,
}

impl Lost {
    /// Whether nothing was dropped.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl std::ops::AddAssign for Lost {
    fn add_assign(&mut self, other: Self) {
        self.events = self.events.saturating_add(other.events);
        self.stacks = self.stacks.saturating_add(other.stacks);
        self.elements = self.elements.saturating_add(other.elements);
        self.lines = self.lines.saturating_add(other.lines);
    }
}

/// How a session is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionState {
    /// Attached and counting.
    Running,
    /// Ended as it should: by its time box, by `exit()` or because it was told to. This report is its last.
    Succeeded,
    /// Could not begin, or broke. This report is its last.
    Failed {
        /// Why, in one word.
        reason: FailureReason,
        /// Why, for people.
        message: String,
    },
    /// The agent declined to begin. This report is its last.
    Refused {
        /// Why, in one word.
        reason: FailureReason,
        /// Why, for people.
        message: String,
    },
}

impl SessionState {
    /// Whether the session counts no more.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Running)
    }
}

/// What the operator says to a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reply {
    /// Reports of the session up to this number are counted.
    Ack {
        /// The number.
        seq: u64,
    },
    /// The report that this one builds on is not known: send everything.
    Resync {},
    /// The job is not known, or has ended without this report: drop it.
    Unknown {},
}
