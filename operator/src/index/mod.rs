//! The operator's middle: what is known of nodes, agents and jobs, and what follows from each thing that happens.
//!
//! Synchronous and without I/O, client or clock: an [`Event`] or a report and the time go in, [`Effect`]s come out. A
//! source (Kubernetes or a folder) makes the events, the edges carry the effects out. The same events in the same order
//! give the same effects.
//!
//! Rules:
//! * nothing is assigned before the sources have told what is there ([`Event::Synced`]): an agent must not take an
//!   operator's start for the end of its jobs;
//! * a job's end is told only after an attempt to store its result, and its agents keep their results until it is stored;
//! * an end, once computed, is never moved.

mod accept;
pub mod conditions;
pub mod document;
mod done;
mod event;
mod job;
mod node;
mod results;
mod settings;
mod status;
mod storing;
#[cfg(test)]
mod tests;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::reason::{ConditionType, Reason};
use api::status::{Phase, TraceJobStatus};
use api::tracejob::{Metrics, TraceJobSpec};
use api::wire::{Desired, JobUid, Lost, Reply, Report};
use jiff::Timestamp;
use report::merge::Merged;
use report::patch::Patch;

use conditions::Truth;
use document::{Document, Outcome};
use done::Done;
pub use event::{Effect, Event, JobRef, JobSeen, StoreOutcome};
use job::Job;
pub use settings::Settings;
use world::World;

/// Everything the operator knows.
#[derive(Debug)]
pub struct Index {
    settings: Settings,
    world: World,
    jobs: BTreeMap<JobUid, Entry>,
}

#[derive(Debug)]
enum Entry {
    Live(Box<Job>),
    Done(Box<Done>),
}

/// What a job's maps add up to as of now.
#[derive(Clone, Debug)]
pub struct Sum {
    /// Which job.
    pub job: JobRef,
    /// How its maps are to appear.
    pub metrics: Metrics,
    /// What its sessions dropped.
    pub lost: Lost,
    rows: Rows,
}

#[derive(Clone, Debug)]
enum Rows {
    Live(Box<Merged>),
    Done(Arc<Outcome>),
}

impl Sum {
    /// The sum of a job without losses.
    pub fn of(job: JobRef, metrics: Metrics, merged: Merged) -> Self {
        Self { job, metrics, lost: Lost::default(), rows: Rows::Live(Box::new(merged)) }
    }

    /// Everything added up.
    pub fn merged(&self) -> &Merged {
        match &self.rows {
            Rows::Live(merged) => merged,
            Rows::Done(outcome) => &outcome.merged,
        }
    }
}

/// What the index knows of one job, for those who ask.
#[derive(Clone, Debug)]
pub struct View {
    /// Which job.
    pub job: JobRef,
    /// Its spec.
    pub spec: TraceJobSpec,
    /// The result as of now, or the last one. Absent when it is only to be had from where it is stored.
    pub outcome: Option<Arc<Outcome>>,
    /// The status as of now, or the last one.
    pub status: TraceJobStatus,
}

impl Index {
    /// An index that knows nothing.
    pub fn new(settings: Settings) -> Self {
        Self { settings, world: World::default(), jobs: BTreeMap::new() }
    }

    /// Something happened.
    pub fn apply(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::JobSeen(seen) => self.job_seen(*seen, now, &mut effects),
            Event::JobGone(uid) => self.job_gone(&uid, &mut effects),
            Event::NodeSeen { name, labels } => self.world.node_seen(name, labels, now),
            Event::NodeGone(name) => self.world.node_gone(&name),
            Event::Synced => self.world.synced(now),
            Event::AgentCame(node) => {
                self.world.agent_came(&node, now);
                self.live().for_each(|job| job.agent_came(&node));
            }
            Event::AgentWent(node) => {
                self.world.agent_went(&node, now);
                self.live().for_each(|job| job.agent_went(&node));
            }
            Event::Stored { job, attempt, outcome } => self.stored(&job, attempt, &outcome, now, &mut effects),
            Event::Tick => self.world.prune(now),
        }
        self.advance(now, &mut effects);
        effects
    }

    /// A node's agent reports. What to answer, and what follows.
    pub fn report(&mut self, node: &str, report: &Report<Patch>, now: Timestamp) -> (Reply, Vec<Effect>) {
        let mut effects = Vec::new();
        let Some(Entry::Live(job)) = self.jobs.get_mut(&report.job) else { return (Reply::Unknown {}, effects) };
        let reply = job.report(node, report);
        job.conclude(&self.settings, now, &mut effects);
        if tell(job, &self.settings, now, &mut effects) {
            self.retire(&report.job, now);
        }
        (reply, effects)
    }

    /// What a node shall do. `None` before the sources have told what is there.
    pub fn desired(&self, node: &str, now: Timestamp) -> Option<Desired> {
        self.world.synced_at()?;
        let assignments = self.jobs.values().filter_map(|entry| match entry {
            Entry::Live(job) => job.assignment(node, &self.world, &self.settings, now),
            Entry::Done(_) => None,
        });
        Some(Desired { assignments: assignments.collect() })
    }

    /// The sums of every job that has any in memory and wants to be measured.
    pub fn sums(&self) -> Vec<Sum> {
        let sum = |entry: &Entry| {
            let (job, spec, lost, rows) = match entry {
                Entry::Live(job) => {
                    let merged = job.merged(&self.settings).0;
                    (&job.job, &job.spec, job.contributions.lost(), Rows::Live(Box::new(merged)))
                }
                Entry::Done(done) => (&done.job, &done.spec, done.lost(), Rows::Done(done.outcome()?.clone())),
            };
            let metrics = spec.metrics.clone().unwrap_or_default();
            metrics.enabled.then(|| Sum { lost, rows, ..Sum::of(job.clone(), metrics, Merged::default()) })
        };
        self.jobs.values().filter_map(sum).collect()
    }

    /// Every job with its last status.
    pub fn statuses(&mut self, now: Timestamp) -> Vec<(JobRef, TraceJobStatus)> {
        let status = |entry: &mut Entry| match entry {
            Entry::Live(job) => (job.job.clone(), job.status(&self.settings, now)),
            Entry::Done(done) => (done.job.clone(), done.status.clone()),
        };
        self.jobs.values_mut().map(status).collect()
    }

    /// One job by its name.
    pub fn view(&mut self, namespace: &str, name: &str, now: Timestamp) -> Option<View> {
        let named = |entry: &&mut Entry| {
            let job = match &**entry {
                Entry::Live(job) => &job.job,
                Entry::Done(done) => &done.job,
            };
            job.namespace == namespace && job.name == name
        };
        self.jobs.values_mut().find(named).map(|entry| view(entry, &self.settings, now))
    }

    /// Where a job is in its life; `None` when it is not known.
    pub fn phase_of(&self, uid: &JobUid) -> Option<Phase> {
        self.jobs.get(uid).map(|entry| match entry {
            Entry::Live(job) => job.phase(),
            Entry::Done(done) => done.status.phase,
        })
    }

    /// How many agents are connected.
    pub fn connected_agents(&self) -> usize {
        self.world.connected()
    }

    /// Whether the sources have told what is there.
    pub fn is_synced(&self) -> bool {
        self.world.synced_at().is_some()
    }

    /// How many jobs are in each phase.
    pub fn phases(&self) -> Vec<Phase> {
        let phase = |entry: &Entry| match entry {
            Entry::Live(job) => job.phase(),
            Entry::Done(done) => done.status.phase,
        };
        self.jobs.values().map(phase).collect()
    }

    fn live(&mut self) -> impl Iterator<Item = &mut Job> {
        self.jobs.values_mut().filter_map(|entry| match entry {
            Entry::Live(job) => Some(&mut **job),
            Entry::Done(_) => None,
        })
    }

    fn job_seen(&mut self, seen: JobSeen, now: Timestamp, effects: &mut Vec<Effect>) {
        match self.jobs.get_mut(&seen.job.uid) {
            Some(Entry::Live(job)) => job.seen(seen, now),
            Some(Entry::Done(_)) => {}
            None => {
                let uid = seen.job.uid.clone();
                self.jobs.insert(uid, first_seen(seen, now, effects));
            }
        }
    }

    fn job_gone(&mut self, uid: &JobUid, effects: &mut Vec<Effect>) {
        if let Some(Entry::Live(job)) = self.jobs.remove(uid) {
            effects.extend(job.nodes.keys().cloned().map(Effect::Assign));
        }
    }

    fn stored(&mut self, uid: &JobUid, attempt: u64, how: &StoreOutcome, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(Entry::Live(job)) = self.jobs.get_mut(uid) else { return };
        let is_last = job.storing.ended(attempt, !matches!(how, StoreOutcome::Failed(_)));
        if !is_last || job.stored_before_end(attempt) {
            return;
        }
        let (truth, reason, message) = match how {
            StoreOutcome::Whole => (Truth::True, Reason::Stored, String::new()),
            StoreOutcome::WithoutNodes => {
                (Truth::True, Reason::StoredWithoutNodes, "what each node contributed did not fit".to_owned())
            }
            StoreOutcome::Failed(why) => (Truth::False, Reason::StoreFailed, why.clone()),
        };
        job.say(ConditionType::ResultsStored, truth, reason, message, now);
        job.end_attempted = true;
        if truth == Truth::True {
            effects.extend(job.nodes.keys().cloned().map(Effect::Assign));
        }
    }

    fn advance(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let mut over = Vec::new();
        for (uid, entry) in &mut self.jobs {
            match entry {
                Entry::Live(job) => {
                    job.advance(&self.world, &self.settings, now, effects);
                    if tell(job, &self.settings, now, effects) {
                        over.push(uid.clone());
                    }
                }
                Entry::Done(done) => {
                    if done.age(self.settings.retention, now) {
                        effects.push(Effect::Delete(done.job.clone()));
                    }
                }
            }
        }
        over.iter().for_each(|uid| self.retire(uid, now));
    }

    /// A job whose end is told and stored needs its contributions no more.
    fn retire(&mut self, uid: &JobUid, now: Timestamp) {
        let Some(Entry::Live(mut job)) = self.jobs.remove(uid) else { return };
        let status = job.status(&self.settings, now);
        let outcome =
            job.started.is_some().then(|| Outcome { status: status.clone(), ..job.outcome(&self.settings, now) });
        let lost = job.contributions.lost();
        let done = Done::new(job.job, job.spec, status, outcome, now).with_lost(lost);
        self.jobs.insert(uid.clone(), Entry::Done(Box::new(done)));
    }
}

/// A job that this operator did not know.
fn first_seen(mut seen: JobSeen, now: Timestamp, effects: &mut Vec<Effect>) -> Entry {
    if let Some(status) = seen.status.take_if(|status| status.phase.is_final()) {
        return Entry::Done(Box::new(Done::new(seen.job, seen.spec, status, None, now)));
    }
    // An earlier operator stored the end but could not tell it.
    if let Some(Document::Outcome(outcome)) = seen.stored.as_deref() {
        let status = outcome.status.clone();
        effects.push(Effect::WriteStatus(seen.job.clone(), Box::new(status.clone())));
        return Entry::Done(Box::new(Done::new(seen.job, seen.spec, status, Some((**outcome).clone()), now)));
    }
    Entry::Live(Box::new(Job::new(seen, now)))
}

/// Hands out the job's status when it is due. Whether the job is over and needs nothing more.
fn tell(job: &mut Job, settings: &Settings, now: Timestamp, effects: &mut Vec<Effect>) -> bool {
    if let Some(status) = job.due_status(settings, now) {
        effects.push(Effect::WriteStatus(job.job.clone(), Box::new(status)));
    }
    job.is_over()
}

fn view(entry: &mut Entry, settings: &Settings, now: Timestamp) -> View {
    match entry {
        Entry::Live(job) => View {
            outcome: job.started.is_some().then(|| Arc::new(job.outcome(settings, now))),
            job: job.job.clone(),
            spec: job.spec.clone(),
            status: job.status(settings, now),
        },
        Entry::Done(done) => View {
            job: done.job.clone(),
            spec: done.spec.clone(),
            outcome: done.outcome().cloned(),
            status: done.status.clone(),
        },
    }
}
