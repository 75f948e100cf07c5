//! Reports on an unreliable way: whatever is dropped, repeated or reordered, and whichever side restarts, the final result
//! is the sum of what the sessions counted. The agent's outbox and the operator's index are driven directly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use agent::fleet::outbox::{Observation, Outbox};
use agent::fleet::roster::{self, Order};
use api::status::{Phase, TraceJobStatus};
use api::tracejob::TraceJobSpec;
use api::wire::{JobUid, Lost, Reply, Report, SessionId, SessionState};
use jiff::Timestamp;
use operator::index::document::{Document, Outcome};
use operator::index::{Effect, Event, Index, JobRef, JobSeen, Settings, StoreOutcome};
use proptest::prelude::*;
use report::merge::merge_cell;
use report::patch::Patch;
use report::{Cell, Histogram, Key, Kind, MapData, Snapshot};

const NODES: usize = 3;

/// Something that happens. Numbers choose among what is there, modulo how much that is.
#[derive(Clone, Debug)]
enum Step {
    /// A session counts a value under a key.
    Count { node: usize, key: u64, value: u32 },
    /// A session's script deletes a key.
    Delete { node: usize, key: u64 },
    /// An agent looks at its session.
    Look { node: usize },
    /// An agent sends what it has to send.
    Send { node: usize },
    /// A report on its way arrives.
    Arrive { report: usize },
    /// A report on its way is repeated.
    Repeat { report: usize },
    /// A report on its way is lost.
    Lose { report: usize },
    /// An answer on its way arrives.
    Answer { answer: usize },
    /// An answer on its way is lost.
    LoseAnswer { answer: usize },
    /// An agent loses its connection and opens another.
    Reconnect { node: usize },
    /// An agent dies with its session and starts anew.
    AgentRestart { node: usize },
    /// The operator dies and starts anew, knowing what was written and stored.
    OperatorRestart,
}

fn step() -> impl Strategy<Value = Step> {
    let node = 0..NODES;
    prop_oneof![
        6 => (node.clone(), 0..4u64, 1..1000u32).prop_map(|(node, key, value)| Step::Count { node, key, value }),
        1 => (node.clone(), 0..4u64).prop_map(|(node, key)| Step::Delete { node, key }),
        5 => node.clone().prop_map(|node| Step::Look { node }),
        5 => node.clone().prop_map(|node| Step::Send { node }),
        6 => any::<usize>().prop_map(|report| Step::Arrive { report }),
        2 => any::<usize>().prop_map(|report| Step::Repeat { report }),
        2 => any::<usize>().prop_map(|report| Step::Lose { report }),
        6 => any::<usize>().prop_map(|answer| Step::Answer { answer }),
        2 => any::<usize>().prop_map(|answer| Step::LoseAnswer { answer }),
        1 => node.clone().prop_map(|node| Step::Reconnect { node }),
        1 => node.prop_map(|node| Step::AgentRestart { node }),
        1 => Just(Step::OperatorRestart),
    ]
}

/// A session and its agent.
struct Node {
    name: String,
    outbox: Option<Outbox>,
    counted: Snapshot,
}

/// A session whose agent died: what counts of it is one of these, and no earlier one than was acknowledged.
struct Dead {
    sightings: Vec<Snapshot>,
}

struct Fleet {
    index: Index,
    now: Timestamp,
    nodes: Vec<Node>,
    sessions: u64,
    reports: Vec<(usize, Report<Patch>)>,
    answers: Vec<(usize, SessionId, u64, Reply)>,
    status: Option<TraceJobStatus>,
    stored: Option<Document>,
    /// Everything each session was seen as, in order, by session.
    sightings: BTreeMap<SessionId, Vec<Snapshot>>,
    acked: BTreeMap<SessionId, usize>,
    dead: BTreeMap<SessionId, Dead>,
}

impl Fleet {
    fn new() -> Self {
        let node = |n| Node { name: format!("node-{n}"), outbox: None, counted: Snapshot::default() };
        let mut fleet = Self {
            index: Index::new(Settings::default()),
            now: Timestamp::from_second(1_000_000).expect("a time"),
            nodes: (0..NODES).map(node).collect(),
            sessions: 0,
            reports: vec![],
            answers: vec![],
            status: None,
            stored: None,
            sightings: BTreeMap::new(),
            acked: BTreeMap::new(),
            dead: BTreeMap::new(),
        };
        fleet.start_operator();
        fleet
    }

    fn start_operator(&mut self) {
        self.index = Index::new(Settings::default());
        // Answers end with the connection they were to come on.
        self.answers.clear();
        // What it knew of living sessions is lost until they report again; of dead ones it had stored what it knew.
        let dead = &self.dead;
        self.acked.retain(|session, _| dead.contains_key(session));
        let spec: TraceJobSpec =
            serde_json::from_value(serde_json::json!({"script": "BEGIN { @ = count(); }", "duration": "24h"}))
                .expect("a spec");
        let seen = JobSeen {
            job: JobRef { uid: job(), namespace: "n".to_owned(), name: "j".to_owned() },
            generation: 1,
            script: Ok(spec.script.clone().unwrap_or_default()),
            spec,
            status: self.status.clone(),
            stored: self.stored.clone().map(Box::new),
        };
        for node in 0..NODES {
            self.apply(Event::NodeSeen { name: self.nodes[node].name.clone(), labels: BTreeMap::new() });
            self.apply(Event::AgentCame(self.nodes[node].name.clone()));
        }
        self.apply(Event::JobSeen(Box::new(seen)));
        self.apply(Event::Synced);
        (0..NODES).for_each(|node| self.follow(node));
    }

    fn apply(&mut self, event: Event) {
        let effects = self.index.apply(event, self.now);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::WriteStatus(_, status) => self.status = Some(*status),
                Effect::Store { job, attempt, document } => {
                    self.stored = Some(*document);
                    self.apply(Event::Stored { job: job.uid, attempt, outcome: StoreOutcome::Whole });
                }
                _ => {}
            }
        }
    }

    /// An agent does what its stream says.
    fn follow(&mut self, node: usize) {
        let desired = self.index.desired(&self.nodes[node].name, self.now).expect("the operator knows its jobs");
        let here = self.nodes[node].outbox.iter().map(|outbox| (job(), outbox.session().clone())).collect();
        for order in roster::orders(desired, &here) {
            let agent = &mut self.nodes[node];
            match order {
                Order::Begin(_) => {
                    self.sessions += 1;
                    agent.outbox = Some(Outbox::new(SessionId(format!("session-{}", self.sessions)), job()));
                    agent.counted = Snapshot::default();
                }
                Order::Forget(_) => agent.outbox = None,
                Order::Held(_, seq) => agent.outbox.iter_mut().for_each(|outbox| outbox.held(seq)),
                Order::End(_) => {}
            }
        }
    }

    fn look(&mut self, node: usize, state: SessionState) {
        let Node { outbox: Some(outbox), counted, .. } = &mut self.nodes[node] else { return };
        let snapshot = Arc::new(counted.clone());
        self.sightings.entry(outbox.session().clone()).or_default().push(counted.clone());
        outbox.observe(Observation { snapshot, lost: Lost::default(), state, probes: 1 }, []);
    }

    fn send(&mut self, node: usize) -> bool {
        let report = self.nodes[node].outbox.as_mut().and_then(|outbox| outbox.due().cloned());
        let sent = report.is_some();
        self.reports.extend(report.map(|report| (node, report)));
        sent
    }

    fn arrive(&mut self, (node, report): (usize, Report<Patch>)) {
        let (reply, effects) = self.index.report(&self.nodes[node].name, &report, self.now);
        self.carry_out(effects);
        self.answers.push((node, report.session, report.seq, reply));
    }

    fn answer(&mut self, (node, session, seq, reply): (usize, SessionId, u64, Reply)) {
        let Some(outbox) = self.nodes[node].outbox.as_mut().filter(|outbox| *outbox.session() == session) else {
            return;
        };
        outbox.replied(seq, reply);
        if outbox.is_settled() {
            let seen = self.sightings.get(&session).map_or(0, Vec::len);
            self.acked.insert(session, seen);
        }
    }

    fn restart_agent(&mut self, node: usize) {
        let name = self.nodes[node].name.clone();
        self.apply(Event::AgentWent(name.clone()));
        if let Some(outbox) = self.nodes[node].outbox.take() {
            let session = outbox.session().clone();
            let sightings = self.sightings.get(&session).cloned().unwrap_or_default();
            // Its last connection is closed: what was on its way never arrives.
            self.reports.retain(|(_, report)| report.session != session);
            self.dead.insert(session, Dead { sightings });
        }
        // The operator keeps a copy of what nobody else has, but no more often than every few seconds.
        self.now += Duration::from_secs(6);
        self.apply(Event::Tick);
        self.apply(Event::AgentCame(name));
        self.follow(node);
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Count { node, key, value } => count(&mut self.nodes[node].counted, key, value),
            Step::Delete { node, key } => delete(&mut self.nodes[node].counted, key),
            Step::Look { node } => self.look(node, SessionState::Running),
            Step::Send { node } => drop(self.send(node)),
            Step::Arrive { report } if !self.reports.is_empty() => {
                let report = self.reports.remove(report % self.reports.len());
                self.arrive(report);
            }
            Step::Repeat { report } if !self.reports.is_empty() => {
                let report = self.reports[report % self.reports.len()].clone();
                self.reports.push(report);
            }
            Step::Lose { report } if !self.reports.is_empty() => {
                drop(self.reports.remove(report % self.reports.len()));
            }
            Step::Answer { answer } if !self.answers.is_empty() => {
                let answer = self.answers.remove(answer % self.answers.len());
                self.answer(answer);
            }
            Step::LoseAnswer { answer } if !self.answers.is_empty() => {
                drop(self.answers.remove(answer % self.answers.len()));
            }
            Step::Reconnect { node } => {
                let name = self.nodes[node].name.clone();
                self.answers.retain(|(to, ..)| *to != node);
                self.apply(Event::AgentWent(name.clone()));
                self.apply(Event::AgentCame(name));
                self.follow(node);
            }
            Step::AgentRestart { node } => self.restart_agent(node),
            Step::OperatorRestart => self.start_operator(),
            _ => {}
        }
        self.now += Duration::from_millis(100);
    }

    /// Ends every session, on a way that loses nothing any more.
    fn finish(&mut self) -> Outcome {
        for node in 0..NODES {
            self.follow(node);
            self.look(node, SessionState::Succeeded);
        }
        for _ in 0..20 {
            for node in 0..NODES {
                self.send(node);
            }
            while let Some(report) = self.reports.pop() {
                self.arrive(report);
            }
            while let Some(answer) = self.answers.pop() {
                self.answer(answer);
            }
        }
        match self.stored.take() {
            Some(Document::Outcome(outcome)) => *outcome,
            other => panic!("the job did not end: {other:?}\n{:?}", self.status),
        }
    }
}

fn job() -> JobUid {
    JobUid("uid".to_owned())
}

fn map<'a>(snapshot: &'a mut Snapshot, name: &str, kind: Kind) -> &'a mut MapData {
    snapshot.maps.entry(name.to_owned()).or_insert_with(|| MapData::empty(kind, true))
}

fn count(counted: &mut Snapshot, key: u64, value: u32) {
    let value = i128::from(value);
    let bucket = BTreeMap::from([(value.ilog2() + 2, 1)]);
    let cells = [
        ("@count", Kind::Count, Cell::Count(1)),
        ("@sum", Kind::Sum { signed: true }, Cell::Sum(value)),
        ("@min", Kind::Min { signed: true }, Cell::Min(Some(value))),
        ("@hist", Kind::Hist { bits: 0, signed: true }, Cell::Hist(Histogram { sum: value, buckets: bucket })),
    ];
    for (name, kind, cell) in cells {
        let rows = &mut map(counted, name, kind).rows;
        match rows.get_mut(&Key::from([key])) {
            Some(sum) => merge_cell(sum, &cell).expect("cells of one kind"),
            None => drop(rows.insert(Key::from([key]), cell)),
        }
    }
}

fn delete(counted: &mut Snapshot, key: u64) {
    counted.maps.values_mut().for_each(|map| drop(map.rows.remove(&Key::from([key]))));
}

/// A snapshot without maps that hold nothing: those do not show in a sum.
fn filled(mut snapshot: Snapshot) -> Snapshot {
    snapshot.maps.retain(|_, map| !map.rows.is_empty());
    snapshot
}

fn sum<'a>(snapshots: impl IntoIterator<Item = &'a Snapshot>) -> Snapshot {
    let mut total = Snapshot::default();
    for snapshot in snapshots {
        assert!(report::merge::merge(&mut total, snapshot).is_empty());
    }
    filled(total)
}

/// Whether `total` is the sum of `live` and of one snapshot from each of the `dead`.
fn is_sum_with(total: &Snapshot, live: &Snapshot, dead: &[Vec<Snapshot>]) -> bool {
    let Some((first, rest)) = dead.split_first() else { return *total == filled(live.clone()) };
    let mut tried: BTreeSet<String> = BTreeSet::new();
    first
        .iter()
        .any(|candidate| tried.insert(format!("{candidate:?}")) && is_sum_with(total, &sum([live, candidate]), rest))
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_final_result_is_the_sum_of_what_the_sessions_counted(
        steps in proptest::collection::vec(step(), 1..120).prop_filter("few agents die", |steps| {
            steps.iter().filter(|step| matches!(step, Step::AgentRestart { .. })).count() <= 3
        })
    ) {
        let mut fleet = Fleet::new();
        steps.iter().for_each(|step| fleet.take(step));
        let outcome = fleet.finish();
        prop_assert_eq!(outcome.status.phase, Phase::Succeeded);
        let live = sum(fleet.nodes.iter().map(|node| &node.counted));
        // Of a session that died, what counts is some sighting of it, none older than the last one acknowledged.
        let dead: Vec<Vec<Snapshot>> = fleet.dead.iter().map(|(session, dead)| {
            match fleet.acked.get(session) {
                Some(seen) => dead.sightings.iter().skip(seen.saturating_sub(1)).cloned().collect(),
                None => [Snapshot::default()].into_iter().chain(dead.sightings.iter().cloned()).collect(),
            }
        }).collect();
        let total = filled(outcome.merged.total.clone());
        prop_assert!(is_sum_with(&total, &live, &dead), "{total:?}\nis not {live:?}\nwith one of each of {dead:?}");
        let by_node = sum(outcome.nodes.values());
        prop_assert_eq!(by_node, total);
    }
}
