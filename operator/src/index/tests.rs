//! Lives of jobs: events in, effects out, on a clock that the test turns.

use std::time::Duration;

use api::reason::FailureReason;
use api::status::NodeFailure;
use api::wire::{Lost, SessionId, SessionState};
use report::patch;
use report::{Cell, Key, Kind, MapData, Snapshot};
use serde_json::json;

use super::*;

/// An index with a clock, which keeps what came out.
struct Stage {
    index: Index,
    now: Timestamp,
    effects: Vec<Effect>,
    /// Whether store effects are answered at once.
    stores: bool,
    documents: Vec<Document>,
}

impl Stage {
    fn new() -> Self {
        let index = Index::new(Settings::default());
        let now = Timestamp::from_second(1_000_000).expect("a time");
        Self { index, now, effects: vec![], stores: true, documents: vec![] }
    }

    /// Three nodes in two zones with their agents, and everything told.
    fn with_nodes() -> Self {
        let mut stage = Self::new();
        for (name, zone) in [("node-a", "1"), ("node-b", "1"), ("node-c", "2")] {
            let labels = [("zone".to_owned(), zone.to_owned())].into();
            stage.apply(Event::NodeSeen { name: name.to_owned(), labels });
            stage.apply(Event::AgentCame(name.to_owned()));
        }
        stage.apply(Event::Synced);
        stage
    }

    fn apply(&mut self, event: Event) {
        let effects = self.index.apply(event, self.now);
        self.take(effects);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Store { job, attempt, document } = &effect {
                let (job, attempt) = (job.uid.clone(), *attempt);
                self.documents.push((**document).clone());
                let answer = Event::Stored { job, attempt, outcome: StoreOutcome::Whole };
                if self.stores {
                    self.apply(answer);
                }
            }
            self.effects.push(effect);
        }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.apply(Event::Tick);
        }
    }

    fn submit(&mut self, spec: serde_json::Value) {
        self.submit_seen(seen(spec));
    }

    fn submit_seen(&mut self, seen: JobSeen) {
        self.apply(Event::JobSeen(Box::new(seen)));
    }

    fn report(&mut self, node: &str, session: &str, seq: u64, count: u64, state: SessionState) -> Reply {
        let report = Report {
            session: SessionId(session.to_owned()),
            job: uid(),
            seq,
            base: None,
            patch: patch::Patch::full(&counts(count)),
            output: vec![format!("line {seq}")],
            lost: Lost::default(),
            state,
            probes: 1,
        };
        let (reply, effects) = self.index.report(node, &report, self.now);
        self.take(effects);
        reply
    }

    fn status(&mut self) -> TraceJobStatus {
        self.index.view("tracing", "job", self.now).expect("the job is known").status
    }

    fn condition(&mut self, kind: &str) -> (String, String) {
        let conditions = self.status().conditions;
        let condition = conditions.iter().find(|condition| condition.type_ == kind).expect("all are there");
        (condition.status.clone(), condition.reason.clone())
    }

    fn total(&mut self) -> Option<u64> {
        let view = self.index.view("tracing", "job", self.now)?;
        match view.outcome?.merged.total.maps.get("@")?.rows.get(&Key::default())? {
            Cell::Count(n) => Some(*n),
            _ => None,
        }
    }

    fn assigned(&self, node: &str) -> Option<api::wire::Assignment> {
        self.index.desired(node, self.now)?.assignments.into_iter().next()
    }

    fn statuses(&self) -> Vec<Phase> {
        let phase = |effect: &Effect| match effect {
            Effect::WriteStatus(_, status) => Some(status.phase),
            _ => None,
        };
        self.effects.iter().filter_map(phase).collect()
    }

    /// A new operator in place of the old one: it knows what was written and stored, and agents come back.
    fn restart(&mut self, spec: serde_json::Value, nodes: &[&str]) {
        let status = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::WriteStatus(_, status) => Some((**status).clone()),
            _ => None,
        });
        let stored = self.documents.last().cloned().map(Box::new);
        self.index = Index::new(Settings::default());
        self.submit_seen(JobSeen { status, stored, ..seen(spec) });
        for node in ["node-a", "node-b", "node-c"] {
            self.apply(Event::NodeSeen { name: node.to_owned(), labels: Default::default() });
        }
        self.apply(Event::Synced);
        nodes.iter().for_each(|node| self.apply(Event::AgentCame((*node).to_owned())));
    }
}

fn uid() -> JobUid {
    JobUid("uid".to_owned())
}

fn seen(spec: serde_json::Value) -> JobSeen {
    let spec: TraceJobSpec = serde_json::from_value(spec).expect("a spec");
    JobSeen {
        job: JobRef { uid: uid(), namespace: "tracing".to_owned(), name: "job".to_owned() },
        generation: 1,
        script: spec.script.clone().ok_or_else(|| "no such ConfigMap".to_owned()),
        spec,
        status: None,
        stored: None,
    }
}

fn spec() -> serde_json::Value {
    json!({"script": "interval:s:1 { @ = count(); }", "duration": "30s"})
}

fn with(field: &str, value: serde_json::Value) -> serde_json::Value {
    let mut spec = spec();
    spec[field] = value;
    spec
}

fn counts(n: u64) -> Snapshot {
    let map = MapData { rows: [(Key::default(), Cell::Count(n))].into(), ..MapData::empty(Kind::Count, false) };
    Snapshot { maps: [("@".to_owned(), map)].into() }
}

fn pair(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

const NODES: [&str; 3] = ["node-a", "node-b", "node-c"];

#[test]
fn a_job_starts_at_once_and_ends_with_the_sum_of_its_nodes() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    assert_eq!(stage.status().phase, Phase::Running);
    for (node, count) in NODES.into_iter().zip([1, 20, 300]) {
        assert_eq!(stage.assigned(node).map(|assignment| assignment.remaining_ms), Some(30_000));
        assert_eq!(stage.report(node, node, 1, 1, SessionState::Running), Reply::Ack { seq: 1 });
        assert_eq!(stage.report(node, node, 2, count, SessionState::Succeeded), Reply::Ack { seq: 2 });
    }
    let status = stage.status();
    assert_eq!((status.phase, status.nodes.taking.as_str(), stage.total()), (Phase::Succeeded, "3/3", Some(321)));
    assert_eq!(stage.condition("Succeeded"), pair("True", "Completed"));
    assert_eq!(stage.condition("ResultsStored"), pair("True", "Stored"));
    assert_eq!(stage.condition("Degraded"), pair("False", "AllNodesWell"));
    assert_eq!(stage.statuses().last(), Some(&Phase::Succeeded));
    assert!(NODES.iter().all(|node| stage.assigned(node).is_none()));
    let Some(Document::Outcome(outcome)) = stage.documents.last() else { panic!("nothing stored") };
    assert_eq!(outcome.nodes.get("node-b"), Some(&counts(20)));
    assert_eq!(outcome.status.phase, Phase::Succeeded);
}

#[test]
fn nothing_is_assigned_before_everything_is_told() {
    let mut stage = Stage::new();
    stage.submit(spec());
    assert_eq!(stage.index.desired("node-a", stage.now), None);
    assert_eq!(stage.status().phase, Phase::Pending);
}

#[test]
fn a_selector_that_matches_nothing_is_a_failure() {
    let mut stage = Stage::with_nodes();
    stage.submit(with("nodeSelector", json!({"matchLabels": {"zone": "9"}})));
    assert_eq!(stage.status().phase, Phase::Failed);
    assert_eq!(stage.condition("Scheduled"), pair("False", "NoMatchingNodes"));
    assert_eq!(stage.condition("Succeeded"), pair("False", "NoMatchingNodes"));
    assert_eq!(stage.statuses(), [Phase::Failed]);
}

#[test]
fn the_first_agents_get_a_moment_to_connect() {
    let mut stage = Stage::new();
    stage.apply(Event::Synced);
    stage.submit(spec());
    assert_eq!(stage.condition("Scheduled"), pair("Unknown", "WaitingForAgents"));
    stage.pass(2);
    stage.apply(Event::AgentCame("node-a".to_owned()));
    stage.pass(4);
    assert_eq!((stage.status().phase, stage.status().nodes.matched), (Phase::Running, 1));
}

#[test]
fn a_wrong_script_is_refused_with_what_the_compiler_says() {
    let mut stage = Stage::with_nodes();
    stage.submit(json!({"script": "BEGIN { @ = ; }"}));
    assert_eq!(stage.status().phase, Phase::Failed);
    assert_eq!(stage.condition("Accepted"), pair("False", "InvalidScript"));
    assert_eq!(stage.condition("Scheduled"), pair("False", "NotAccepted"));
}

#[test]
fn the_selector_and_the_sample_choose_the_nodes() {
    let mut stage = Stage::with_nodes();
    let mut wanted = with("nodeSelector", json!({"matchLabels": {"zone": "1"}}));
    wanted["rollout"] = json!({"maxNodes": 1});
    stage.submit(wanted);
    assert_eq!(stage.status().nodes.matched, 1);
    assert!(stage.assigned("node-c").is_none());
}

#[test]
fn a_node_without_an_agent_is_a_failure_of_that_node() {
    let mut stage = Stage::with_nodes();
    let labels = [("zone".to_owned(), "1".to_owned())].into();
    stage.apply(Event::NodeSeen { name: "node-d".to_owned(), labels });
    stage.submit(with("nodeSelector", json!({"matchLabels": {"zone": "1"}})));
    stage.pass(16);
    let failures = stage.status().failures;
    assert_eq!(
        failures.iter().map(|f| (f.node.as_str(), f.reason)).collect::<Vec<_>>(),
        [("node-d", FailureReason::NoAgent)]
    );
    assert_eq!(stage.condition("Degraded"), pair("True", "NodesFailed"));
    for node in ["node-a", "node-b"] {
        stage.report(node, node, 1, 1, SessionState::Succeeded);
    }
    assert_eq!(stage.status().phase, Phase::Succeeded);
}

#[test]
fn an_agent_that_dies_is_lost_and_what_it_reported_stays() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Running);
    }
    stage.apply(Event::AgentWent("node-b".to_owned()));
    stage.pass(16);
    assert_eq!(stage.status().nodes.lost, 1);
    for node in ["node-a", "node-c"] {
        stage.report(node, node, 2, 11, SessionState::Succeeded);
    }
    let status = stage.status();
    assert_eq!((status.phase, stage.total()), (Phase::Succeeded, Some(32)));
    let [NodeFailure { node, reason, message }] = status.failures.as_slice() else { panic!("{:?}", status.failures) };
    assert_eq!((node.as_str(), *reason), ("node-b", FailureReason::NodeLost));
    assert!(message.contains("is counted"), "{message}");
}

#[test]
fn a_lost_agent_that_comes_back_in_time_is_well_again() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Running);
    }
    stage.apply(Event::AgentWent("node-b".to_owned()));
    stage.pass(16);
    stage.apply(Event::AgentCame("node-b".to_owned()));
    for node in NODES {
        stage.report(node, node, 2, 20, SessionState::Succeeded);
    }
    let status = stage.status();
    assert_eq!((status.phase, status.failures.len(), stage.total()), (Phase::Succeeded, 0, Some(60)));
}

#[test]
fn an_agent_that_starts_anew_adds_to_what_it_had_counted() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Running);
    }
    stage.report("node-b", "second", 1, 5, SessionState::Running);
    assert_eq!(stage.status().failures.first().map(|failure| failure.reason), Some(FailureReason::AgentRestarted));
    stage.report("node-b", "second", 2, 7, SessionState::Succeeded);
    assert!(stage.assigned("node-b").is_some_and(|assignment| assignment.stop), "a third session must not begin");
    for node in ["node-a", "node-c"] {
        stage.report(node, node, 2, 10, SessionState::Succeeded);
    }
    assert_eq!((stage.status().phase, stage.total()), (Phase::Succeeded, Some(37)));
}

#[test]
fn nodes_that_do_not_report_their_end_are_given_up_after_it() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Running);
    }
    stage.pass(39);
    assert_eq!(stage.status().phase, Phase::Running);
    stage.pass(2);
    let status = stage.status();
    assert_eq!((status.phase, status.nodes.lost, stage.total()), (Phase::Failed, 3, Some(30)));
    assert_eq!(stage.condition("Succeeded"), pair("False", "AllNodesFailed"));
    assert_eq!(stage.report("node-a", "node-a", 2, 11, SessionState::Succeeded), Reply::Unknown {});
}

#[test]
fn a_script_that_no_node_can_run_fails_with_each_nodes_reason() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        let message = "no such function".to_owned();
        let state = SessionState::Failed { reason: FailureReason::ScriptUnsupported, message };
        stage.report(node, node, 1, 0, state);
    }
    let status = stage.status();
    assert_eq!((status.phase, status.nodes.failed, status.failures.len()), (Phase::Failed, 3, 3));
}

#[test]
fn cancelling_ends_early_and_keeps_the_results() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Running);
    }
    stage.submit(with("cancel", json!(true)));
    assert!(NODES.iter().all(|node| stage.assigned(node).is_some_and(|assignment| assignment.stop)));
    assert!(stage.effects.iter().any(|effect| matches!(effect, Effect::Assign(node) if node == "node-c")));
    for node in NODES {
        stage.report(node, node, 2, 15, SessionState::Succeeded);
    }
    assert_eq!((stage.status().phase, stage.total()), (Phase::Cancelled, Some(45)));
    let mut early = Stage::with_nodes();
    early.submit(with("cancel", json!(true)));
    assert_eq!(early.status().phase, Phase::Cancelled);
}

#[test]
fn a_spec_that_changes_ends_the_job() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Running);
    }
    stage.submit(with("duration", json!("60s")));
    assert_eq!(stage.condition("Accepted"), pair("False", "SpecChanged"));
    for node in NODES {
        stage.report(node, node, 2, 15, SessionState::Succeeded);
    }
    assert_eq!((stage.status().phase, stage.total()), (Phase::Failed, Some(45)));
}

#[test]
fn a_deleted_job_vanishes_from_every_node() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    stage.effects.clear();
    stage.apply(Event::JobGone(uid()));
    let told: Vec<&str> = stage
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Assign(node) => Some(node.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(told, NODES);
    assert!(NODES.iter().all(|node| stage.assigned(node).is_none()));
    assert_eq!(stage.report("node-a", "node-a", 1, 1, SessionState::Running), Reply::Unknown {});
}

#[test]
fn agents_keep_their_results_until_these_are_stored() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    stage.stores = false;
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Succeeded);
    }
    assert_eq!(stage.statuses(), [Phase::Running], "the end is told once it is stored");
    let answer = |outcome, attempt| Event::Stored { job: uid(), attempt, outcome };
    let attempts = |stage: &Stage| {
        let attempt = |effect: &Effect| match effect {
            Effect::Store { attempt, .. } => Some(*attempt),
            _ => None,
        };
        stage.effects.iter().filter_map(attempt).collect::<Vec<_>>()
    };
    assert_eq!(attempts(&stage), [1, 2]);
    stage.apply(answer(StoreOutcome::Failed("no quota".to_owned()), 2));
    assert_eq!(stage.condition("ResultsStored"), pair("False", "StoreFailed"));
    assert_eq!(stage.statuses(), [Phase::Running, Phase::Succeeded]);
    assert!(stage.assigned("node-a").is_some_and(|assignment| assignment.stop && assignment.have.len() == 1));
    stage.pass(5);
    assert_eq!(attempts(&stage), [1, 2, 3]);
    stage.apply(answer(StoreOutcome::WithoutNodes, 3));
    assert_eq!(stage.condition("ResultsStored"), pair("True", "StoredWithoutNodes"));
    stage.pass(6);
    assert!(stage.assigned("node-a").is_none());
}

#[test]
fn status_writes_are_spaced_but_a_new_phase_is_not_kept_waiting() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for count in 1..=20 {
        stage.report("node-a", "node-a", count, count, SessionState::Running);
        stage.pass(1);
    }
    assert_eq!(stage.statuses().len(), 1 + 4);
    for (node, count) in NODES.into_iter().zip([21, 1, 1]) {
        stage.report(node, node, count, 20, SessionState::Succeeded);
    }
    assert_eq!(stage.statuses().last(), Some(&Phase::Succeeded));
}

#[test]
fn a_restarted_operator_goes_on_with_the_same_end_and_asks_for_everything() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Running);
    }
    stage.pass(10);
    let expires = stage.status().expires_at;
    stage.restart(spec(), &NODES);
    assert_eq!(stage.status().expires_at, expires);
    let assignment = stage.assigned("node-a").expect("still assigned");
    assert_eq!((assignment.remaining_ms, assignment.have.len()), (20_000, 0));
    let told = stage.statuses().len();
    stage.pass(2);
    assert_eq!(stage.statuses().len(), told, "what was told stays told while agents report again");
    let stale = Report {
        session: SessionId("node-a".to_owned()),
        job: uid(),
        seq: 2,
        base: Some(1),
        patch: patch::diff(&counts(10), &counts(12)),
        output: vec![],
        lost: Lost::default(),
        state: SessionState::Running,
        probes: 1,
    };
    assert_eq!(stage.index.report("node-a", &stale, stage.now).0, Reply::Resync {});
    for node in NODES {
        stage.report(node, node, 3, 12, SessionState::Succeeded);
    }
    assert_eq!((stage.status().phase, stage.total()), (Phase::Succeeded, Some(36)));
}

#[test]
fn what_a_dead_agent_had_counted_survives_the_operator_too() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Running);
    }
    stage.pass(6);
    stage.apply(Event::AgentWent("node-b".to_owned()));
    stage.pass(1);
    stage.restart(spec(), &["node-a", "node-c"]);
    for node in ["node-a", "node-c"] {
        stage.report(node, node, 2, 20, SessionState::Succeeded);
    }
    stage.pass(16);
    let status = stage.status();
    assert_eq!((status.phase, status.nodes.lost, stage.total()), (Phase::Succeeded, 1, Some(50)));
}

#[test]
fn what_a_dead_agent_had_counted_stays_stored_when_its_node_is_back() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Running);
    }
    for node in ["node-b", "node-c"] {
        stage.pass(6);
        stage.apply(Event::AgentWent(node.to_owned()));
        stage.pass(1);
        stage.apply(Event::AgentCame(node.to_owned()));
    }
    stage.pass(6);
    stage.restart(spec(), &NODES);
    stage.report("node-a", "node-a", 2, 10, SessionState::Succeeded);
    for node in ["node-b", "node-c"] {
        stage.report(node, &format!("{node} again"), 1, 5, SessionState::Succeeded);
    }
    assert_eq!((stage.status().phase, stage.total()), (Phase::Succeeded, Some(40)));
}

#[test]
fn an_end_that_was_stored_but_not_told_is_told_by_the_successor() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Succeeded);
    }
    let running = stage
        .effects
        .iter()
        .position(|effect| matches!(effect, Effect::WriteStatus(_, status) if status.phase == Phase::Running));
    stage.effects.truncate(running.map_or(0, |at| at + 1));
    stage.restart(spec(), &NODES);
    assert_eq!(stage.statuses(), [Phase::Running, Phase::Succeeded]);
    assert_eq!((stage.status().phase, stage.total()), (Phase::Succeeded, Some(30)));
    assert_eq!(stage.condition("ResultsStored"), pair("True", "Stored"));
}

#[test]
fn a_finished_job_lets_go_of_its_rows_and_is_deleted_in_time() {
    let mut stage = Stage::with_nodes();
    stage.submit(with("ttlAfterFinished", json!("10m")));
    for node in NODES {
        stage.report(node, node, 1, 10, SessionState::Succeeded);
    }
    stage.pass(299);
    assert_eq!(stage.total(), Some(30));
    stage.pass(2);
    assert_eq!(stage.total(), None);
    let deletes = |stage: &Stage| stage.effects.iter().filter(|effect| matches!(effect, Effect::Delete(_))).count();
    stage.pass(298);
    assert_eq!(deletes(&stage), 0);
    stage.pass(5);
    assert_eq!(deletes(&stage), 1);
}

#[test]
fn what_was_dropped_on_a_node_makes_the_job_degraded() {
    let mut stage = Stage::with_nodes();
    stage.submit(spec());
    let report = Report {
        session: SessionId("s".to_owned()),
        job: uid(),
        seq: 1,
        base: None,
        patch: patch::Patch::full(&counts(1)),
        output: vec![],
        lost: Lost { elements: 3, ..Lost::default() },
        state: SessionState::Running,
        probes: 1,
    };
    stage.index.report("node-a", &report, stage.now);
    assert_eq!(stage.condition("Degraded"), pair("True", "DataDropped"));
}

#[test]
fn rows_beyond_the_bound_are_dropped_and_told() {
    let mut stage = Stage::with_nodes();
    stage.index.settings.max_rows = 2;
    stage.submit(spec());
    let rows = (1..=5u64).map(|n| (Key::from([n]), Cell::Count(n))).collect();
    let map = MapData { rows, ..MapData::empty(Kind::Count, true) };
    let snapshot = Snapshot { maps: [("@".to_owned(), map)].into() };
    let report = Report {
        session: SessionId("s".to_owned()),
        job: uid(),
        seq: 1,
        base: None,
        patch: patch::Patch::full(&snapshot),
        output: vec![],
        lost: Lost::default(),
        state: SessionState::Running,
        probes: 1,
    };
    stage.index.report("node-a", &report, stage.now);
    let status = stage.status();
    assert_eq!(
        status.results.map(|results| (results.truncated, results.text)),
        Some((true, "@[4]: 4\n@[5]: 5\n".to_owned()))
    );
    assert_eq!(stage.condition("Degraded"), pair("True", "KeysDropped"));
}
