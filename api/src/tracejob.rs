//! TraceJob: a script, where to run it and for how long. What came back is in [`crate::status`].
//!
//! Owns the spec, its schema with the rules an API server can check, and the values of fields that are left out. The
//! spec is immutable apart from `cancel`: a result must belong to one script.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::selector::LabelSelector;
use crate::status::TraceJobStatus;

/// One bpftrace script, run on many nodes at once, for a limited time, with one merged result.
#[allow(clippy::duplicated_attributes, reason = "each printer column has its own")]
#[derive(Clone, Debug, Default, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[kube(
    group = "bpfleet.dev",
    version = "v1alpha1",
    kind = "TraceJob",
    namespaced,
    shortname = "tj",
    category = "bpfleet",
    status = "TraceJobStatus",
    derive = "PartialEq",
    doc = "One bpftrace script, run on many nodes at once, for a limited time, with one merged result",
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "Nodes",
        type_ = "string",
        json_path = ".status.nodes.taking",
        description = "Nodes that take or took part / nodes that match"
    ),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.expiresAt"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Failed", type_ = "integer", json_path = ".status.nodes.failed", priority = "1"),
    printcolumn(name = "Lost", type_ = "integer", json_path = ".status.nodes.lost", priority = "1")
)]
#[cfg_attr(test, kube(cel))]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.script) != has(self.scriptFrom)")
        .message("exactly one of script and scriptFrom must be given"),
    validation = Rule::new("has(self.script) == has(oldSelf.script) && (!has(self.script) || self.script == oldSelf.script)")
        .message("script is immutable: make another TraceJob"),
    validation = Rule::new("has(self.scriptFrom) == has(oldSelf.scriptFrom) && (!has(self.scriptFrom) || self.scriptFrom == oldSelf.scriptFrom)")
        .message("scriptFrom is immutable: make another TraceJob"),
    validation = Rule::new("has(self.args) == has(oldSelf.args) && (!has(self.args) || self.args == oldSelf.args)")
        .message("args is immutable: make another TraceJob"),
    validation = Rule::new("has(self.duration) == has(oldSelf.duration) && (!has(self.duration) || self.duration == oldSelf.duration)")
        .message("duration is immutable: make another TraceJob"),
    validation = Rule::new("has(self.nodeSelector) == has(oldSelf.nodeSelector) && (!has(self.nodeSelector) || self.nodeSelector == oldSelf.nodeSelector)")
        .message("nodeSelector is immutable: make another TraceJob"),
    validation = Rule::new("has(self.rollout) == has(oldSelf.rollout) && (!has(self.rollout) || self.rollout == oldSelf.rollout)")
        .message("rollout is immutable: make another TraceJob"),
    validation = Rule::new("has(self.limits) == has(oldSelf.limits) && (!has(self.limits) || self.limits == oldSelf.limits)")
        .message("limits is immutable: make another TraceJob"),
    validation = Rule::new("has(self.metrics) == has(oldSelf.metrics) && (!has(self.metrics) || self.metrics == oldSelf.metrics)")
        .message("metrics is immutable: make another TraceJob"),
    validation = Rule::new("has(self.ttlAfterFinished) == has(oldSelf.ttlAfterFinished) && (!has(self.ttlAfterFinished) || self.ttlAfterFinished == oldSelf.ttlAfterFinished)")
        .message("ttlAfterFinished is immutable: make another TraceJob"),
    validation = Rule::new("!(has(oldSelf.cancel) && oldSelf.cancel) || (has(self.cancel) && self.cancel)")
        .message("a cancelled TraceJob stays cancelled")
)]
pub struct TraceJobSpec {
    /// The bpftrace program; at most 64 KiB. Exactly one of `script` and `scriptFrom` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65536))]
    pub script: Option<String>,
    /// Where the script is kept instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script_from: Option<ScriptSource>,
    /// The script's arguments: `$1`, `$2` and so on, and `--name=value` for `getopt`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 4096)))]
    pub args: Vec<String>,
    /// The time box, from 1s to 24h; 60s when absent. Units are h, m, s, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DurationText>")]
    pub duration: Option<kube::core::Duration>,
    /// The nodes to run on, by their labels; every node that has an agent when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<LabelSelector>,
    /// How the job spreads over the nodes that match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Bounds of what one node may use for this job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// How the job's maps appear at the operator's /metrics; absent means enabled with the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// After its end the TraceJob is deleted when this long has passed; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DurationText>")]
    pub ttl_after_finished: Option<kube::core::Duration>,
    /// Ends the job early and keeps its results.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel: bool,
}

/// Where a script is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScriptSource {
    /// A key of a ConfigMap in the TraceJob's namespace, read when the job begins.
    pub config_map_key_ref: ConfigMapKey,
}

/// A key of a ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigMapKey {
    /// The ConfigMap.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in its `data`.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// How a job spreads over the nodes that match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// At most so many nodes, sampled evenly among those that match; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100000))]
    pub max_nodes: Option<u32>,
}

/// Bounds of what one node may use for one job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Elements of each map; 4096 when absent. Elements that found their map full are counted and make the job Degraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65536))]
    pub map_entries: Option<u32>,
    /// Lines the script may print; 1000 when absent. Further lines are counted and make the job Degraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100000))]
    pub output_lines: Option<u32>,
}

/// How a job's maps appear at /metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Whether they appear at all; true when absent.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Most series of this job; 500 when absent. What exceeds it is summed in one overflow series per map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub max_series: Option<u32>,
    /// For each map the label names of its key's components; `key0`, `key1` and so on where absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "label_names")]
    pub labels: BTreeMap<String, Vec<String>>,
}

fn yes() -> bool {
    true
}

impl Default for Metrics {
    fn default() -> Self {
        Self { enabled: true, max_series: None, labels: BTreeMap::new() }
    }
}

/// How a duration looks in the schema; [`kube::core::Duration`] is what it becomes.
struct DurationText;

impl JsonSchema for DurationText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$",
            "maxLength": 32,
        })
    }
}

fn label_names(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": {
            "type": "array",
            "maxItems": 16,
            "items": { "type": "string", "maxLength": 128, "pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$" },
        },
    })
}

impl TraceJobSpec {
    /// The time box with its default, unbounded: the operator refuses what exceeds [`limits`].
    pub fn duration(&self) -> Duration {
        self.duration.map_or(limits::DURATION_DEFAULT, Duration::from)
    }

    /// Elements of each map on one node.
    pub fn map_entries(&self) -> u32 {
        self.limits.as_ref().and_then(|limits| limits.map_entries).unwrap_or(limits::MAP_ENTRIES_DEFAULT)
    }

    /// Output lines of one node.
    pub fn output_lines(&self) -> u32 {
        self.limits.as_ref().and_then(|limits| limits.output_lines).unwrap_or(limits::OUTPUT_LINES_DEFAULT)
    }

    /// Most nodes, where there is a bound.
    pub fn max_nodes(&self) -> Option<u32> {
        self.rollout.as_ref().and_then(|rollout| rollout.max_nodes)
    }

    /// The spec without its one mutable field: what must never change.
    #[must_use]
    pub fn immutable_part(&self) -> Self {
        Self { cancel: false, ..self.clone() }
    }
}

/// A script's named arguments; one without a value stands for `true`.
pub type NamedArgs = Vec<(String, Option<String>)>;

/// Splits arguments into positional ones (`$1`, `$2` and so on) and named ones (`--name=value`, `--name`). After a lone
/// `--` everything is positional.
pub fn split_args(args: &[String]) -> (Vec<String>, NamedArgs) {
    let (mut positional, mut named) = (Vec::new(), Vec::new());
    let mut args = args.iter();
    for arg in args.by_ref() {
        match arg.strip_prefix("--") {
            None => positional.push(arg.clone()),
            Some("") => break,
            Some(name) => named.push(match name.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (name.to_owned(), None),
            }),
        }
    }
    positional.extend(args.cloned());
    (positional, named)
}

#[cfg(test)]
#[path = "tracejob/tests.rs"]
mod tests;
