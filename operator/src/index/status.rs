//! How a job looks in its status, and what its outcome holds.

use std::time::Duration;

use api::limits;
use api::reason::{ConditionType, Reason};
use api::status::{NodeCounts, NodeFailure, NodeLine, TraceJobStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use report::bound::{self, Dropped};
use report::merge::Merged;

use super::conditions::{Truth, shortened, whole_seconds};
use super::document::Outcome;
use super::job::Job;
use super::node::NodePhase;
use super::settings::Settings;
use crate::summary;

impl Job {
    /// Everything added up within the bound on rows, with what that cost.
    pub fn merged(&self, settings: &Settings) -> (Merged, Dropped) {
        let (mut merged, mut dropped) = self.contributions.merged();
        dropped.add(bound::limit(&mut merged.total, settings.max_rows));
        (merged, dropped)
    }

    /// The status as of now.
    pub fn status(&mut self, settings: &Settings, now: Timestamp) -> TraceJobStatus {
        let (merged, dropped) = self.merged(settings);
        self.status_with(&merged, &dropped, now)
    }

    fn status_with(&mut self, merged: &Merged, dropped: &Dropped, now: Timestamp) -> TraceJobStatus {
        if self.started.is_some() {
            let (truth, reason, message) = self.degraded(dropped);
            self.say(ConditionType::Degraded, truth, reason, message, now);
        }
        let counts = self.counts();
        TraceJobStatus {
            phase: self.phase(),
            observed_generation: Some(self.generation),
            start_time: self.started.map(|time| Time(whole_seconds(time))),
            expires_at: self.expires.map(|time| Time(next_second(time))),
            completion_time: self.ended.map(|(time, _)| Time(whole_seconds(time))),
            spec_hash: self.started.map(|_| self.spec_hash.clone()),
            conditions: self.conditions.list(),
            nodes: counts,
            failures: self.failures(),
            results: (!self.contributions.is_empty()).then(|| summary::results(merged, !dropped.is_empty())),
            output: self.last_output(limits::STATUS_OUTPUT),
        }
    }

    /// What is stored at the end. Its status says that it is stored: who can read it knows.
    pub fn outcome(&mut self, settings: &Settings, now: Timestamp) -> Outcome {
        let (merged, dropped) = self.merged(settings);
        let conditions = self.conditions.clone();
        self.say(ConditionType::ResultsStored, Truth::True, Reason::Stored, "", now);
        let status = self.status_with(&merged, &dropped, now);
        self.conditions = conditions;
        let nodes = self.contributions.per_node();
        Outcome { status, merged, nodes, output: self.output.iter().cloned().collect() }
    }

    fn last_output(&self, lines: usize) -> Vec<NodeLine> {
        self.output.iter().skip(self.output.len().saturating_sub(lines)).cloned().collect()
    }

    fn counts(&self) -> NodeCounts {
        let count = |phase| {
            let nodes = self.nodes.values().filter(|node| node.phase == phase).count();
            u32::try_from(nodes).unwrap_or(u32::MAX)
        };
        let (running, succeeded) = (count(NodePhase::Running), count(NodePhase::Succeeded));
        let matched = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        NodeCounts {
            matched,
            running,
            succeeded,
            failed: count(NodePhase::Failed),
            refused: count(NodePhase::Refused),
            lost: count(NodePhase::Lost),
            taking: format!("{}/{matched}", running + succeeded),
        }
    }

    fn failures(&self) -> Vec<NodeFailure> {
        let problems = self.nodes.iter().filter_map(|(node, run)| run.problem().map(|problem| (node, problem)));
        problems
            .take(limits::STATUS_FAILURES)
            .map(|(node, (reason, message))| NodeFailure {
                node: node.clone(),
                reason,
                message: shortened(message.to_owned(), limits::STATUS_LINE_BYTES),
            })
            .collect()
    }

    fn degraded(&self, dropped: &Dropped) -> (Truth, Reason, String) {
        let problems = self.nodes.values().filter(|node| node.problem().is_some()).count();
        let lost = self.contributions.lost();
        if problems > 0 {
            let message =
                format!("{problems} of {} nodes contribute less than they should: see failures", self.nodes.len());
            (Truth::True, Reason::NodesFailed, message)
        } else if !lost.is_zero() {
            let message = format!(
                "dropped on the nodes: {} events, {} stacks, {} updates of full maps, {} lines of output",
                lost.events, lost.stacks, lost.elements, lost.lines
            );
            (Truth::True, Reason::DataDropped, message)
        } else if !dropped.is_empty() {
            let maps: Vec<&str> = dropped.maps.keys().map(String::as_str).collect();
            let message = format!("{} rows did not fit, of {}", dropped.rows(), maps.join(", "));
            (Truth::True, Reason::KeysDropped, message)
        } else {
            (Truth::False, Reason::AllNodesWell, String::new())
        }
    }

    /// The status to hand out, if one is due: at once when the phase changed, else at intervals and only when it differs.
    /// The end is not told before an attempt was made to store it.
    pub fn due_status(&mut self, settings: &Settings, now: Timestamp) -> Option<TraceJobStatus> {
        let phase = self.phase();
        if phase.is_final() && self.started.is_some() && !self.end_attempted {
            return None;
        }
        if let Some((at, written)) = &self.written {
            let rested = super::world::elapsed(*at, now) >= settings.status_interval;
            if written.phase == phase && !rested {
                return None;
            }
        }
        let status = self.status(settings, now);
        let same = self.written.as_ref().is_some_and(|(_, written)| *written == status);
        self.written = Some((now, status.clone()));
        (!same).then_some(status)
    }
}

fn next_second(time: Timestamp) -> Timestamp {
    if time.subsec_nanosecond() == 0 {
        time
    } else {
        whole_seconds(time.saturating_add(Duration::from_secs(1)).unwrap_or(time))
    }
}
