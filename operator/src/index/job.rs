//! One TraceJob that is not over: from the first visit to the moment its result is stored.
//!
//! Owns the transitions. What they look like in a status is in [`super::status`], which nodes are chosen in
//! [`crate::plan`], whether the spec can be run in [`super::accept`].

use std::collections::{BTreeMap, VecDeque};

use api::limits;
use api::reason::{ConditionType, Reason};
use api::status::{NodeLine, Phase, TraceJobStatus};
use api::tracejob::TraceJobSpec;
use api::wire::{Assignment, Reply, Report, SessionLimits};
use jiff::Timestamp;
use report::patch::Patch;

use super::accept;
use super::conditions::{Conditions, Truth, shortened};
use super::document::{Checkpoint, Document, Orphan};
use super::event::{Effect, JobRef, JobSeen};
use super::node::{Absence, NodeRun};
use super::results::Contributions;
use super::settings::Settings;
use super::storing::Storing;
use super::world::{World, elapsed};
use crate::plan;

/// Most output lines of one job that are kept.
const OUTPUT_LINES: usize = 10_000;

/// An end before its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopping {
    pub(super) since: Timestamp,
    pub(super) reason: Reason,
    /// Whether the agents have been told.
    told: bool,
}

/// A job that is not over.
#[derive(Debug)]
pub struct Job {
    pub(super) job: JobRef,
    pub(super) generation: i64,
    pub(super) spec: TraceJobSpec,
    pub(super) spec_hash: String,
    pub(super) script: Result<String, String>,
    pub(super) conditions: Conditions,
    pub(super) started: Option<Timestamp>,
    pub(super) expires: Option<Timestamp>,
    pub(super) ended: Option<(Timestamp, Phase)>,
    pub(super) stopping: Option<Stopping>,
    pub(super) nodes: BTreeMap<String, NodeRun>,
    pub(super) contributions: Contributions,
    pub(super) output: VecDeque<NodeLine>,
    pub(super) storing: Storing,
    /// The status that was last handed out, and when.
    pub(super) written: Option<(Timestamp, TraceJobStatus)>,
    /// Whether an attempt to store the end has ended: the end is not told before.
    pub(super) end_attempted: bool,
    /// The first attempt that stores the end, when it was made.
    end_attempt: Option<u64>,
    /// Whether the nodes are known for certain; not so after a restart without a checkpoint.
    nodes_certain: bool,
}

impl Job {
    /// A job at its first visit by this operator. One that runs already goes on as its status and checkpoint say.
    pub fn new(seen: JobSeen, now: Timestamp) -> Self {
        let running = seen.status.filter(|status| status.phase == Phase::Running);
        // What was told stays told until the agents had time to report again.
        let written = running.clone().map(|status| (now, status));
        let status = running.unwrap_or_default();
        let checkpoint = match seen.stored.map(|document| *document) {
            Some(Document::Checkpoint(checkpoint)) => Some(checkpoint),
            _ => None,
        };
        let mut job = Self {
            generation: seen.generation,
            spec_hash: status.spec_hash.unwrap_or_else(|| accept::spec_hash(&seen.spec)),
            spec: seen.spec,
            script: checkpoint.as_ref().map_or(seen.script, |checkpoint| Ok(checkpoint.script.clone())),
            conditions: Conditions::restored(&status.conditions, seen.generation, now),
            started: status.start_time.map(|time| time.0),
            expires: status.expires_at.map(|time| time.0),
            ended: None,
            stopping: None,
            nodes: BTreeMap::new(),
            contributions: Contributions::default(),
            output: status.output.into(),
            storing: Storing::default(),
            written,
            end_attempted: false,
            end_attempt: None,
            nodes_certain: status.phase != Phase::Running || checkpoint.is_some(),
            job: seen.job,
        };
        job.restore(checkpoint.unwrap_or_default());
        job
    }

    fn restore(&mut self, checkpoint: Checkpoint) {
        self.nodes = checkpoint.nodes.into_iter().map(|node| (node, NodeRun::default())).collect();
        for Orphan { node, session, contribution } in checkpoint.orphans {
            self.nodes.entry(node.clone()).or_default().reported(&session, &contribution.state);
            self.contributions.restore(&node, session, contribution);
        }
    }

    /// The TraceJob changed, or was listed again.
    pub fn seen(&mut self, seen: JobSeen, now: Timestamp) {
        self.generation = seen.generation;
        if self.started.is_none() {
            self.spec_hash = accept::spec_hash(&seen.spec);
            self.script = seen.script;
            self.spec = seen.spec;
            return;
        }
        self.spec.cancel |= seen.spec.cancel;
        if self.stopping.is_none() && accept::spec_hash(&seen.spec) != self.spec_hash {
            self.stopping = Some(Stopping { since: now, reason: Reason::SpecChanged, told: false });
            self.say(ConditionType::Accepted, Truth::False, Reason::SpecChanged, accept::SPEC_CHANGED, now);
        }
    }

    /// Where the job is in its life.
    pub fn phase(&self) -> Phase {
        match (self.started, self.ended) {
            (_, Some((_, phase))) => phase,
            (Some(_), None) => Phase::Running,
            (None, None) => Phase::Pending,
        }
    }

    /// Goes as far as can be gone now.
    pub fn advance(&mut self, world: &World, settings: &Settings, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.phase() == Phase::Pending {
            self.begin(world, settings, now, effects);
        }
        if self.phase() == Phase::Running {
            self.go_on(world, settings, now, effects);
        }
        self.conclude(settings, now, effects);
    }

    /// What a report can bring about: the end, and storing it. Cheap, unlike [`Self::advance`], which looks at every node.
    pub fn conclude(&mut self, settings: &Settings, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.phase() == Phase::Running && self.nodes_certain && self.nodes.values().all(NodeRun::is_over) {
            self.end(now, effects);
        }
        if let Some(attempt) = self.storing.next(settings.store_interval, now) {
            let document = Box::new(self.document(settings, now));
            if self.ended.is_some() {
                self.end_attempt.get_or_insert(attempt);
            }
            effects.push(Effect::Store { job: self.job.clone(), attempt, document });
        }
    }

    fn begin(&mut self, world: &World, settings: &Settings, now: Timestamp, effects: &mut Vec<Effect>) {
        if let Err((reason, message)) = accept::accept(&self.job.name, &self.spec, &self.script) {
            self.say(ConditionType::Accepted, Truth::False, reason, message, now);
            self.end_before_start(Phase::Failed, Reason::NotAccepted, reason, now, effects);
            return;
        }
        self.say(ConditionType::Accepted, Truth::True, Reason::Valid, "", now);
        if self.spec.cancel {
            self.end_before_start(Phase::Cancelled, Reason::Cancelled, Reason::Cancelled, now, effects);
            return;
        }
        let Some(synced) = world.synced_at() else { return };
        if self.waits_for_agents(world) && elapsed(synced, now) < settings.settle {
            self.say(ConditionType::Scheduled, Truth::Unknown, Reason::WaitingForAgents, "", now);
            return;
        }
        let chosen = self.choose(world, settings, now);
        if chosen.is_empty() {
            let why = match self.spec.node_selector {
                Some(_) => "no node has the labels that spec.nodeSelector asks for",
                None => "no agent is connected",
            };
            self.say(ConditionType::Scheduled, Truth::False, Reason::NoMatchingNodes, why, now);
            self.end_before_start(Phase::Failed, Reason::NoMatchingNodes, Reason::NoMatchingNodes, now, effects);
            return;
        }
        self.start(chosen, now, effects);
    }

    /// Whether the nodes depend on which agents are connected, and some may still be on their way.
    fn waits_for_agents(&self, world: &World) -> bool {
        self.spec.node_selector.is_none() && !world.is_complete()
    }

    fn choose(&self, world: &World, settings: &Settings, now: Timestamp) -> Vec<String> {
        let selector = self.spec.node_selector.as_ref();
        match selector {
            Some(_) => plan::choose(&self.job.uid, selector, self.spec.max_nodes(), world.labelled()),
            None => {
                let candidates = world.with_agent(settings.lost_after, now);
                plan::choose(&self.job.uid, None, self.spec.max_nodes(), candidates)
            }
        }
    }

    fn start(&mut self, chosen: Vec<String>, now: Timestamp, effects: &mut Vec<Effect>) {
        self.started = Some(now);
        self.expires = now.checked_add(self.spec.duration()).ok();
        let note = format!("tracing on {} nodes for {:?}", chosen.len(), self.spec.duration());
        self.say(ConditionType::Scheduled, Truth::True, Reason::NodesAssigned, &note, now);
        self.say(ConditionType::Succeeded, Truth::Unknown, Reason::Running, "", now);
        effects.extend(chosen.iter().cloned().map(Effect::Assign));
        effects.push(Effect::Tell { job: self.job.clone(), warning: false, reason: Reason::NodesAssigned, note });
        self.nodes = chosen.into_iter().map(|node| (node, NodeRun::default())).collect();
        self.storing.want_now();
    }

    fn go_on(&mut self, world: &World, settings: &Settings, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.spec.cancel && self.stopping.is_none() {
            self.stopping = Some(Stopping { since: now, reason: Reason::Cancelled, told: false });
        }
        if let Some(stopping) = self.stopping.as_mut().filter(|stopping| !stopping.told) {
            stopping.told = true;
            effects.extend(self.nodes.keys().cloned().map(Effect::Assign));
        }
        if !self.nodes_certain && world.synced_at().is_some_and(|synced| elapsed(synced, now) >= settings.settle) {
            for node in self.choose(world, settings, now) {
                effects.push(Effect::Assign(node.clone()));
                self.nodes.entry(node).or_default();
            }
            self.nodes_certain = true;
        }
        self.give_up_absent(world, settings, now);
    }

    fn give_up_absent(&mut self, world: &World, settings: &Settings, now: Timestamp) {
        let Some(synced) = world.synced_at() else { return };
        let stop = self.stopping.map(|stopping| stopping.since);
        let end = stop.into_iter().chain(self.expires).min().map(|end| end.max(synced));
        let overdue = end.is_some_and(|end| end < now && elapsed(end, now) >= settings.finish_grace);
        for (name, node) in self.nodes.iter_mut().filter(|(_, node)| !node.is_over()) {
            let why = match world.absent_for(name, now) {
                Some(_) if world.was_removed(name) => Absence::NodeRemoved,
                Some(absent) if absent >= settings.lost_after || overdue => Absence::NoAgent,
                None if overdue => Absence::Silent,
                _ => continue,
            };
            node.give_up(why);
            self.storing.want();
        }
    }

    /// A report came from one of the nodes.
    pub fn report(&mut self, node: &str, report: &Report<Patch>) -> Reply {
        if self.ended.is_some() || (self.nodes_certain && !self.nodes.contains_key(node)) {
            return Reply::Unknown {};
        }
        let taken = self.contributions.take(node, report);
        if taken.news {
            if self.nodes.entry(node.to_owned()).or_default().reported(&report.session, &report.state) {
                self.storing.want();
            }
            self.keep_output(node, &report.output);
        }
        taken.reply
    }

    fn keep_output(&mut self, node: &str, lines: &[String]) {
        for line in lines {
            let line = shortened(line.clone(), limits::STATUS_LINE_BYTES);
            self.output.push_back(NodeLine { node: node.to_owned(), line });
        }
        let excess = self.output.len().saturating_sub(OUTPUT_LINES);
        self.output.drain(..excess);
    }

    /// A node's agent is there again.
    pub fn agent_came(&mut self, node: &str) {
        if self.ended.is_none()
            && let Some(node) = self.nodes.get_mut(node)
        {
            node.returned();
        }
    }

    /// A node's agent is gone: what it contributed may be held here alone.
    pub fn agent_went(&mut self, node: &str) {
        if self.ended.is_none() && self.contributions.orphan(node) {
            self.storing.want();
        }
    }

    fn end(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let succeeded = self.nodes.values().filter(|node| node.phase == super::node::NodePhase::Succeeded).count();
        let (phase, truth, reason) = match self.stopping.map(|stopping| stopping.reason) {
            Some(Reason::Cancelled) => (Phase::Cancelled, Truth::False, Reason::Cancelled),
            Some(reason) => (Phase::Failed, Truth::False, reason),
            None if succeeded == 0 => (Phase::Failed, Truth::False, Reason::AllNodesFailed),
            None => (Phase::Succeeded, Truth::True, Reason::Completed),
        };
        let note = format!("{succeeded} of {} nodes ended as they should", self.nodes.len());
        self.say(ConditionType::Succeeded, truth, reason, &note, now);
        self.ended = Some((now, phase));
        self.storing.want_now();
        effects.push(Effect::Tell { job: self.job.clone(), warning: phase == Phase::Failed, reason, note });
    }

    fn end_before_start(
        &mut self,
        phase: Phase,
        succeeded: Reason,
        cause: Reason,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if matches!(succeeded, Reason::NotAccepted | Reason::Cancelled) {
            self.say(ConditionType::Scheduled, Truth::False, succeeded, "", now);
        }
        self.say(ConditionType::Degraded, Truth::False, Reason::AllNodesWell, "", now);
        self.say(ConditionType::ResultsStored, Truth::False, Reason::NoResults, "", now);
        self.say(ConditionType::Succeeded, Truth::False, succeeded, "", now);
        self.ended = Some((now, phase));
        let note = format!("not started: {cause}");
        effects.push(Effect::Tell { job: self.job.clone(), warning: phase == Phase::Failed, reason: cause, note });
    }

    pub(super) fn say(
        &mut self,
        kind: ConditionType,
        truth: Truth,
        reason: Reason,
        message: impl Into<String>,
        now: Timestamp,
    ) {
        self.conditions.set(kind, truth, reason, message.into(), self.generation, now);
    }

    /// What `node` shall do about this job, if anything.
    pub fn assignment(&self, node: &str, world: &World, settings: &Settings, now: Timestamp) -> Option<Assignment> {
        self.started?;
        let run = self.nodes.get(node);
        let may_be_chosen = || {
            let labels = world.labelled().find(|(name, _)| *name == node).map(|(_, labels)| labels);
            let selector = self.spec.node_selector.as_ref();
            selector.is_none_or(|selector| labels.is_some_and(|labels| selector.matches(labels)))
        };
        if run.is_none() && (self.nodes_certain || !may_be_chosen()) {
            return None;
        }
        Some(Assignment {
            job: self.job.uid.clone(),
            namespace: self.job.namespace.clone(),
            name: self.job.name.clone(),
            // Without it the job cannot have started, or runs under an earlier operator's assignment.
            script: self.script.clone().unwrap_or_default(),
            args: self.spec.args.clone(),
            remaining_ms: self.expires.map_or(0, |end| millis(elapsed(now, end))),
            stop: self.ended.is_some() || self.stopping.is_some() || run.is_some_and(NodeRun::has_ended),
            limits: SessionLimits { map_entries: self.spec.map_entries(), output_lines: self.spec.output_lines() },
            report_interval_ms: millis(settings.report_interval),
            have: self.contributions.have(node),
        })
    }

    /// Whether an attempt to store was made before the end, so that what it stored is not the result.
    pub fn stored_before_end(&self, attempt: u64) -> bool {
        self.end_attempt.is_none_or(|first| attempt < first)
    }

    /// Whether the job ended, its end is told, and its result is stored or there is none.
    pub fn is_over(&self) -> bool {
        let told = self.written.as_ref().is_some_and(|(_, status)| status.phase.is_final());
        let stored = self.started.is_none() || self.conditions.is_true(ConditionType::ResultsStored);
        self.ended.is_some() && told && stored
    }

    fn document(&mut self, settings: &Settings, now: Timestamp) -> Document {
        if self.ended.is_some() {
            return Document::Outcome(Box::new(self.outcome(settings, now)));
        }
        let orphans = self.contributions.orphans().map(|(node, session, contribution)| Orphan {
            node: node.to_owned(),
            session: session.clone(),
            contribution: contribution.clone(),
        });
        Document::Checkpoint(Checkpoint {
            script: self.script.clone().unwrap_or_default(),
            nodes: self.nodes.keys().cloned().collect(),
            orphans: orphans.collect(),
        })
    }
}

/// Milliseconds, as the wire has them.
fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
