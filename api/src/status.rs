//! What a TraceJob's status says: phase, times, conditions, node counts, failures, and a bounded form of the result.
//!
//! Everything here is bounded in the schema: a status must stay far below what etcd takes. The full result is stored
//! elsewhere by the operator. Numbers that may exceed 64 signed bits are decimal text.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reason::FailureReason;

/// What is known about a TraceJob. Written by the operator alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceJobStatus {
    /// Where the job is in its life.
    #[serde(default)]
    pub phase: Phase,
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When nodes were chosen and told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// When tracing ends at the latest: computed once, when the job starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// When the last node had ended or was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
    /// SHA-256 of the spec without `cancel`, as it was when the job started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub spec_hash: Option<String>,
    /// Accepted, Scheduled, Degraded, ResultsStored, Succeeded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"])
    )]
    pub conditions: Vec<Condition>,
    /// How many nodes are in which state.
    #[serde(default)]
    #[schemars(transform = without_default)]
    pub nodes: NodeCounts,
    /// Nodes that contribute less than they should, the first ones in order of their name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub failures: Vec<NodeFailure>,
    /// The merged result in its bounded form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Results>,
    /// The last lines the script printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub output: Vec<NodeLine>,
}

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Not started.
    #[default]
    Pending,
    /// Nodes have their assignment.
    Running,
    /// Ended, with a result.
    Succeeded,
    /// Ended without one, or never started.
    Failed,
    /// Ended early by `cancel`, with what had been counted.
    Cancelled,
}

impl Phase {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// How many nodes are in which state. A node is in exactly one of running, succeeded, failed, refused, lost, or has not
/// answered yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeCounts {
    /// Nodes that were chosen.
    pub matched: u32,
    /// Nodes whose session runs.
    pub running: u32,
    /// Nodes whose session ended as it should.
    pub succeeded: u32,
    /// Nodes that could not run the script, or not to its end.
    pub failed: u32,
    /// Nodes whose agent declined.
    pub refused: u32,
    /// Nodes that were not heard of any more.
    pub lost: u32,
    /// `running + succeeded`, a slash, `matched`: for the table that kubectl prints.
    #[schemars(length(max = 32))]
    pub taking: String,
}

/// A node that contributes less than it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeFailure {
    /// The node's name.
    #[schemars(length(max = 253))]
    pub node: String,
    /// Why, in one word.
    pub reason: FailureReason,
    /// Why, in the agent's or the operator's words.
    #[schemars(length(max = 4096))]
    pub message: String,
}

/// A line a script printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeLine {
    /// Where.
    #[schemars(length(max = 253))]
    pub node: String,
    /// The line, without its line end.
    #[schemars(length(max = 4096))]
    pub line: String,
}

/// The merged result, bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    /// The maps in name order, each with its largest entries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub maps: Vec<MapResult>,
    /// Whether the stored result holds more than this.
    pub truncated: bool,
    /// The maps as bpftrace prints them.
    #[schemars(length(max = 32768))]
    pub text: String,
}

/// One map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapResult {
    /// With its sigil: `@`, `@bytes`.
    #[schemars(length(max = 256))]
    pub name: String,
    /// How its values were merged.
    pub kind: MapKind,
    /// The bounds of its buckets, for lhist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<LinearBounds>,
    /// The second argument of hist, when it is not 0: buckets per power of two are 2^bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u8>,
    /// The largest entries, the largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub entries: Vec<Entry>,
    /// Entries that are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: i64,
}

/// A default that is an object with an empty string is refused by an API server 1.20, which takes that string for null.
fn without_default(schema: &mut schemars::Schema) {
    schema.remove("default");
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// How a map's values were merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MapKind {
    /// Added.
    Count,
    /// Added.
    Sum,
    /// The least.
    Min,
    /// The largest.
    Max,
    /// Total and count added.
    Avg,
    /// Total and count added.
    Stats,
    /// Power-of-two buckets added.
    Hist,
    /// Linear buckets added.
    Lhist,
    /// Interval by interval, as the series says; of each entry the value of the last interval.
    Tseries,
    /// Assigned by the script; not merged, one entry for each node.
    Value,
}

/// The bounds of a linear histogram.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinearBounds {
    /// Values below go to bucket 0.
    pub min: i64,
    /// Values at or above go to the last bucket.
    pub max: i64,
    /// The width of the buckets between.
    pub step: i64,
}

/// One element of a map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The components of its key as they print; none for a map without a key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 4096)))]
    pub key: Vec<String>,
    /// The node it is from, for values that are not merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub node: Option<String>,
    /// The value: a decimal number for count, sum, min, max and avg, else as it prints. Absent for histograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub value: Option<String>,
    /// How many values went in, for avg, stats, hist and lhist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// Their sum, for avg, stats, hist and lhist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub sum: Option<String>,
    /// The buckets of a histogram from the first to the last that is not empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Buckets>,
}

/// A histogram's buckets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Buckets {
    /// The number of the first one listed. For hist, bucket 0 holds negative values, 1 holds 0, 2 holds 1, 3 holds 2 and
    /// 3, and so on; for lhist, bucket 0 holds what is below `min`.
    pub first_index: u32,
    /// What each holds.
    #[schemars(length(max = 256))]
    pub counts: Vec<i64>,
}
