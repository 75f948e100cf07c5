//! What the sessions of one job have counted, by node and session, and what it adds up to.
//!
//! A session's contribution is the snapshot its reports describe; reports that were seen before, or that build on one
//! that is not here, change nothing. Merging is left to [`report::merge`].

use std::collections::{BTreeMap, BTreeSet};

use api::wire::{Have, Lost, Reply, Report, SessionId, SessionState};
use report::Snapshot;
use report::bound::Dropped;
use report::merge::Merged;
use report::patch::{self, Patch};
use serde::{Deserialize, Serialize};

/// What one session has reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// The number of the last report in it.
    pub seq: u64,
    /// What its maps held then.
    pub snapshot: Snapshot,
    /// What it had dropped then.
    pub lost: Lost,
    /// How it was then.
    pub state: SessionState,
}

/// All contributions to one job.
#[derive(Clone, Debug, Default)]
pub struct Contributions {
    by_node: BTreeMap<String, BTreeMap<SessionId, Contribution>>,
    /// Sessions whose agent went and that have not reported since: nobody else may hold what they counted.
    orphans: BTreeSet<SessionId>,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What to answer.
    pub reply: Reply,
    /// Whether it said anything new.
    pub news: bool,
}

impl Contributions {
    /// Takes a report of a session on `node`.
    pub fn take(&mut self, node: &str, report: &Report<Patch>) -> Taken {
        let sessions = self.by_node.entry(node.to_owned()).or_default();
        let known = sessions.get_mut(&report.session);
        let last = known.as_ref().map(|contribution| contribution.seq);
        if let Some(last) = last.filter(|last| report.seq <= *last) {
            return Taken { reply: Reply::Ack { seq: last }, news: false };
        }
        if !patch::is_sound(&report.patch) || (report.base.is_some() && report.base != last) {
            return Taken { reply: Reply::Resync {}, news: false };
        }
        let mut snapshot = match (known, report.base) {
            (Some(contribution), Some(_)) => std::mem::take(&mut contribution.snapshot),
            _ => Snapshot::default(),
        };
        patch::apply(&mut snapshot, &report.patch);
        let contribution = Contribution { seq: report.seq, snapshot, lost: report.lost, state: report.state.clone() };
        // An agent runs one session of a job at a time: the earlier ones are over.
        self.orphans.extend(sessions.keys().cloned());
        self.orphans.remove(&report.session);
        sessions.insert(report.session.clone(), contribution);
        Taken { reply: Reply::Ack { seq: report.seq }, news: true }
    }

    /// Puts back what an earlier operator had stored.
    pub fn restore(&mut self, node: &str, session: SessionId, contribution: Contribution) {
        self.orphans.insert(session.clone());
        self.by_node.entry(node.to_owned()).or_default().insert(session, contribution);
    }

    /// A node's agent went, and perhaps its sessions with it. Whether there were any.
    pub fn orphan(&mut self, node: &str) -> bool {
        let sessions = self.by_node.get(node).into_iter().flat_map(BTreeMap::keys);
        let before = self.orphans.len();
        self.orphans.extend(sessions.cloned());
        self.orphans.len() > before
    }

    /// What may be held here alone.
    pub fn orphans(&self) -> impl Iterator<Item = (&str, &SessionId, &Contribution)> {
        self.all().filter(|(_, session, _)| self.orphans.contains(session))
    }

    /// What is here from a node.
    pub fn have(&self, node: &str) -> Vec<Have> {
        self.of(node).map(|(session, known)| Have { session: session.clone(), seq: known.seq }).collect()
    }

    /// A node's sessions.
    pub fn of(&self, node: &str) -> impl Iterator<Item = (&SessionId, &Contribution)> {
        self.by_node.get(node).into_iter().flatten()
    }

    /// Every session, with its node.
    pub fn all(&self) -> impl Iterator<Item = (&str, &SessionId, &Contribution)> {
        self.by_node.iter().flat_map(|(node, sessions)| {
            sessions.iter().map(move |(session, contribution)| (node.as_str(), session, contribution))
        })
    }

    /// Whether nothing was reported.
    pub fn is_empty(&self) -> bool {
        self.by_node.values().all(BTreeMap::is_empty)
    }

    /// Everything added up, with what could not be.
    pub fn merged(&self) -> (Merged, Dropped) {
        let mut merged = Merged::default();
        let mut dropped = Dropped::default();
        for (node, _, contribution) in self.all() {
            dropped.add(merged.add(node, &contribution.snapshot));
        }
        (merged, dropped)
    }

    /// What each node's sessions add up to.
    pub fn per_node(&self) -> BTreeMap<String, Snapshot> {
        let mut nodes: BTreeMap<String, Snapshot> = BTreeMap::new();
        for (node, sessions) in &self.by_node {
            let mut merged = Merged::default();
            for contribution in sessions.values() {
                // Sessions of one node run one script on one kernel: their maps have the same kinds.
                let _ = merged.add(node, &contribution.snapshot);
            }
            let mut snapshot = merged.total;
            for (name, mut plain) in merged.per_node {
                plain.remove(node).and_then(|map| snapshot.maps.insert(name, map));
            }
            nodes.insert(node.clone(), snapshot);
        }
        nodes
    }

    /// What all sessions dropped.
    pub fn lost(&self) -> Lost {
        let mut sum = Lost::default();
        self.all().for_each(|(_, _, contribution)| sum += contribution.lost);
        sum
    }
}

#[cfg(test)]
mod tests {
    use api::wire::JobUid;
    use report::{Cell, Key, Kind, MapData};

    use super::*;

    fn counts(n: u64) -> Snapshot {
        let map = MapData { rows: [(Key::default(), Cell::Count(n))].into(), ..MapData::empty(Kind::Count, false) };
        Snapshot { maps: [("@".to_owned(), map)].into() }
    }

    fn report(session: &str, seq: u64, base: Option<u64>, from: u64, to: u64) -> Report<Patch> {
        let old = if base.is_some() { counts(from) } else { Snapshot::default() };
        Report {
            session: SessionId(session.to_owned()),
            job: JobUid("j".to_owned()),
            seq,
            base,
            patch: patch::diff(&old, &counts(to)),
            output: vec![],
            lost: Lost::default(),
            state: SessionState::Running,
            probes: 1,
        }
    }

    fn total(contributions: &Contributions) -> Snapshot {
        contributions.merged().0.total
    }

    #[test]
    fn a_report_that_comes_twice_counts_once() {
        let mut contributions = Contributions::default();
        assert_eq!(contributions.take("a", &report("s", 1, None, 0, 5)).reply, Reply::Ack { seq: 1 });
        assert!(contributions.take("a", &report("s", 2, Some(1), 5, 8)).news);
        let again = contributions.take("a", &report("s", 1, None, 0, 5));
        assert_eq!(again, Taken { reply: Reply::Ack { seq: 2 }, news: false });
        assert_eq!(total(&contributions), counts(8));
    }

    #[test]
    fn a_report_that_builds_on_an_unknown_one_asks_for_everything() {
        let mut contributions = Contributions::default();
        assert_eq!(contributions.take("a", &report("s", 4, Some(3), 5, 8)).reply, Reply::Resync {});
        assert!(contributions.take("a", &report("s", 5, None, 0, 8)).news);
        assert_eq!(contributions.take("a", &report("s", 7, Some(6), 8, 9)).reply, Reply::Resync {});
        assert_eq!(total(&contributions), counts(8));
    }

    #[test]
    fn sessions_of_one_node_and_of_several_add_up() {
        let mut contributions = Contributions::default();
        for (node, session, n) in [("a", "s1", 1), ("a", "s2", 2), ("b", "s3", 4)] {
            contributions.take(node, &report(session, 1, None, 0, n));
        }
        assert_eq!(total(&contributions), counts(7));
        assert_eq!(contributions.per_node(), [("a".to_owned(), counts(3)), ("b".to_owned(), counts(4))].into());
    }

    #[test]
    fn a_patch_whose_rows_are_not_of_their_kind_is_refused() {
        let mut bad = report("s", 1, None, 0, 1);
        for map in bad.patch.maps.values_mut() {
            map.changed.rows.insert(Key::default(), Cell::Sum(3));
        }
        let mut contributions = Contributions::default();
        assert_eq!(contributions.take("a", &bad).reply, Reply::Resync {});
        assert!(total(&contributions).maps.is_empty());
    }
}
