//! One session's reports on their way to the operator, as a pure state machine.
//!
//! Observations go in, the report to send comes out, replies go in. One report is under way at a time and is the same
//! each time it is sent until it is answered; what is observed meanwhile waits, and only the newest of it counts. Lines of
//! output wait too and are sent once, unless the operator loses its state. Leaves sending, waiting and time to others.

use std::collections::VecDeque;
use std::sync::Arc;

use api::limits::REPORT_LINES;
use api::wire::{JobUid, Lost, Reply, Report, SessionId, SessionState};
use report::Snapshot;
use report::patch::{self, Patch};

/// What a session looked like at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What its maps held.
    pub snapshot: Arc<Snapshot>,
    /// What it had dropped since it began.
    pub lost: Lost,
    /// How it was.
    pub state: SessionState,
    /// Attach points in place.
    pub probes: u32,
}

/// The reports of one session.
#[derive(Clone, Debug)]
pub struct Outbox {
    session: SessionId,
    job: JobUid,
    next_seq: u64,
    /// What the operator is known to hold.
    acked: Option<(u64, Observation)>,
    /// What is under way.
    pending: Option<Pending>,
    /// What is newer than both.
    latest: Option<Observation>,
    lines: VecDeque<String>,
    /// The operator wants nothing more of this session.
    unwanted: bool,
}

#[derive(Clone, Debug)]
struct Pending {
    report: Report<Patch>,
    observation: Observation,
}

impl Outbox {
    /// Nothing observed, nothing sent.
    pub fn new(session: SessionId, job: JobUid) -> Self {
        Self {
            session,
            job,
            next_seq: 1,
            acked: None,
            pending: None,
            latest: None,
            lines: VecDeque::new(),
            unwanted: false,
        }
    }

    /// Which session.
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The session was looked at; since the last time it printed these lines.
    pub fn observe(&mut self, observation: Observation, lines: impl IntoIterator<Item = String>) {
        self.latest = Some(observation);
        self.lines.extend(lines);
    }

    /// The report that is to be sent now, if there is anything to say.
    pub fn due(&mut self) -> Option<&Report<Patch>> {
        if self.unwanted {
            return None;
        }
        if self.pending.is_none() {
            self.pending = self.prepare();
        }
        self.pending.as_ref().map(|pending| &pending.report)
    }

    fn prepare(&mut self) -> Option<Pending> {
        let observation = match (self.latest.take(), &self.acked) {
            (Some(latest), Some((_, acked))) if latest == *acked && self.lines.is_empty() => return None,
            (Some(latest), _) => latest,
            // Lines that did not fit into the report before.
            (None, Some((_, acked))) if !self.lines.is_empty() => acked.clone(),
            (None, _) => return None,
        };
        let seq = self.next_seq;
        self.next_seq += 1;
        let nothing = Snapshot::default();
        let (base, old) = match &self.acked {
            Some((seq, acked)) => (Some(*seq), &*acked.snapshot),
            None => (None, &nothing),
        };
        let report = Report {
            session: self.session.clone(),
            job: self.job.clone(),
            seq,
            base,
            patch: patch::diff(old, &observation.snapshot),
            output: self.lines.drain(..self.lines.len().min(REPORT_LINES)).collect(),
            lost: observation.lost,
            state: observation.state.clone(),
            probes: observation.probes,
        };
        Some(Pending { report, observation })
    }

    /// The operator answered the report with number `seq`.
    pub fn replied(&mut self, seq: u64, reply: Reply) {
        match reply {
            Reply::Ack { seq } => self.acknowledged(seq),
            Reply::Resync {} if self.is_pending(seq) => self.start_over(),
            Reply::Unknown {} if self.is_pending(seq) => self.unwanted = true,
            // An answer to a report that has been answered already.
            Reply::Resync {} | Reply::Unknown {} => {}
        }
    }

    fn is_pending(&self, seq: u64) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.report.seq == seq)
    }

    fn acknowledged(&mut self, seq: u64) {
        if let Some(pending) = self.pending.take_if(|pending| pending.report.seq == seq) {
            self.acked = Some((seq, pending.observation));
        }
    }

    /// The operator says which report of this session it holds; `None` when it holds none.
    pub fn held(&mut self, seq: Option<u64>) {
        self.unwanted = false;
        if let Some(seq) = seq {
            self.acknowledged(seq);
        }
        let acked = self.acked.as_ref().map(|(seq, _)| *seq);
        if acked.is_some() && seq < acked {
            self.start_over();
        }
    }

    /// The operator does not have what it acknowledged: everything is to be sent again.
    fn start_over(&mut self) {
        let acked = self.acked.take().map(|(_, observation)| observation);
        let pending = self.pending.take().map(|pending| {
            pending.report.output.into_iter().rev().for_each(|line| self.lines.push_front(line));
            pending.observation
        });
        self.latest = self.latest.take().or(pending).or(acked);
    }

    /// Whether the operator has everything that was observed, or wants none of it.
    pub fn is_settled(&self) -> bool {
        self.unwanted || (self.pending.is_none() && self.latest.is_none() && self.lines.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use report::{Cell, Key, Kind, MapData};

    use super::*;

    fn counts(n: u64) -> Snapshot {
        let map = MapData { rows: [(Key::default(), Cell::Count(n))].into(), ..MapData::empty(Kind::Count, false) };
        Snapshot { maps: [("@".to_owned(), map)].into() }
    }

    fn seen(n: u64) -> Observation {
        Observation { snapshot: Arc::new(counts(n)), lost: Lost::default(), state: SessionState::Running, probes: 1 }
    }

    fn outbox() -> Outbox {
        Outbox::new(SessionId("s".to_owned()), JobUid("j".to_owned()))
    }

    fn sent(outbox: &mut Outbox) -> Option<(u64, Option<u64>, Vec<String>)> {
        outbox.due().map(|report| (report.seq, report.base, report.output.clone()))
    }

    #[test]
    fn a_report_is_sent_unchanged_until_it_is_acknowledged() {
        let mut outbox = outbox();
        outbox.observe(seen(1), ["a".to_owned()]);
        let first = outbox.due().cloned();
        outbox.observe(seen(2), ["b".to_owned()]);
        assert_eq!(outbox.due().cloned(), first);
        outbox.replied(1, Reply::Ack { seq: 1 });
        assert_eq!(sent(&mut outbox), Some((2, Some(1), vec!["b".to_owned()])));
        outbox.replied(2, Reply::Ack { seq: 2 });
        assert_eq!(sent(&mut outbox), None);
        assert!(outbox.is_settled());
    }

    #[test]
    fn nothing_is_sent_when_nothing_changed() {
        let mut outbox = outbox();
        outbox.observe(seen(1), []);
        assert!(outbox.due().is_some());
        outbox.replied(1, Reply::Ack { seq: 1 });
        outbox.observe(seen(1), []);
        assert_eq!(sent(&mut outbox), None);
        assert!(outbox.is_settled());
    }

    #[test]
    fn an_operator_that_lost_its_state_gets_everything_again() {
        let mut outbox = outbox();
        outbox.observe(seen(1), []);
        outbox.due();
        outbox.replied(1, Reply::Ack { seq: 1 });
        outbox.observe(seen(2), ["b".to_owned()]);
        outbox.due();
        outbox.replied(2, Reply::Resync {});
        let report = outbox.due().cloned().expect("everything");
        assert_eq!((report.seq, report.base, report.output.as_slice()), (3, None, &["b".to_owned()][..]));
        assert_eq!(report.patch, Patch::full(&counts(2)));
    }

    #[test]
    fn a_final_report_is_offered_again_to_an_operator_that_lacks_it() {
        let mut outbox = outbox();
        outbox.observe(Observation { state: SessionState::Succeeded, ..seen(5) }, []);
        outbox.due();
        outbox.replied(1, Reply::Ack { seq: 1 });
        outbox.held(Some(1));
        assert_eq!(sent(&mut outbox), None);
        outbox.held(None);
        let report = outbox.due().expect("everything again");
        assert_eq!((report.seq, report.base, &report.state), (2, None, &SessionState::Succeeded));
    }

    #[test]
    fn what_the_operator_holds_counts_as_acknowledged() {
        let mut outbox = outbox();
        outbox.observe(seen(1), []);
        outbox.due();
        outbox.held(Some(1));
        assert!(outbox.is_settled());
    }

    #[test]
    fn late_answers_change_nothing() {
        let mut outbox = outbox();
        outbox.observe(seen(1), []);
        outbox.due();
        outbox.replied(1, Reply::Ack { seq: 1 });
        outbox.observe(seen(2), []);
        outbox.due();
        outbox.replied(1, Reply::Resync {});
        outbox.replied(1, Reply::Ack { seq: 1 });
        assert_eq!(sent(&mut outbox), Some((2, Some(1), vec![])));
    }

    #[test]
    fn lines_beyond_one_report_follow_in_the_next() {
        let mut outbox = outbox();
        outbox.observe(seen(1), (0..=REPORT_LINES).map(|n| n.to_string()));
        assert_eq!(sent(&mut outbox).map(|(_, _, lines)| lines.len()), Some(REPORT_LINES));
        outbox.replied(1, Reply::Ack { seq: 1 });
        assert_eq!(sent(&mut outbox), Some((2, Some(1), vec![REPORT_LINES.to_string()])));
    }

    #[test]
    fn an_unknown_job_silences_the_session_until_it_is_assigned_again() {
        let mut outbox = outbox();
        outbox.observe(seen(1), []);
        outbox.due();
        outbox.replied(1, Reply::Unknown {});
        assert_eq!(sent(&mut outbox), None);
        outbox.held(None);
        assert!(outbox.due().is_some());
    }
}
