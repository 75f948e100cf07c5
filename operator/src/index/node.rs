//! One chosen node of one job: where its session is in its life, as far as the operator was told.

use api::reason::FailureReason;
use api::wire::{SessionId, SessionState};

/// Where a chosen node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodePhase {
    /// Told, or to be told; no report yet.
    Waiting,
    /// Its session runs.
    Running,
    /// Its session ended as it should.
    Succeeded,
    /// It could not run the script, or not to its end; or it has no agent.
    Failed,
    /// Its agent declined.
    Refused,
    /// It is not heard of any more.
    Lost,
}

/// A chosen node.
#[derive(Clone, Debug)]
pub struct NodeRun {
    /// Where it is.
    pub phase: NodePhase,
    problem: Option<(FailureReason, String)>,
    /// The last session that began to report; earlier ones of this node are over.
    session: Option<SessionId>,
    /// Whether an earlier session ended without saying so.
    cut_off: bool,
}

impl Default for NodeRun {
    fn default() -> Self {
        Self { phase: NodePhase::Waiting, problem: None, session: None, cut_off: false }
    }
}

impl NodeRun {
    /// Whether nothing more is expected of it.
    pub fn is_over(&self) -> bool {
        !matches!(self.phase, NodePhase::Waiting | NodePhase::Running)
    }

    /// Whether its session ended and said so: a new one must not begin.
    pub fn has_ended(&self) -> bool {
        self.is_over() && !self.was_given_up()
    }

    fn was_given_up(&self) -> bool {
        self.phase == NodePhase::Lost || matches!(self.problem, Some((FailureReason::NoAgent, _)))
    }

    /// What keeps it from contributing all it should.
    pub fn problem(&self) -> Option<(FailureReason, &str)> {
        match &self.problem {
            Some((reason, message)) => Some((*reason, message)),
            None if self.cut_off => {
                let message = "the agent started anew; what the earlier session had reported is counted";
                Some((FailureReason::AgentRestarted, message))
            }
            None => None,
        }
    }

    /// A report of `session` was taken. Returns whether an earlier session of the node was cut off by it.
    pub fn reported(&mut self, session: &SessionId, state: &SessionState) -> bool {
        let replaced = self.session.as_ref().is_some_and(|known| known != session);
        let cut_off = replaced && !self.has_ended();
        self.cut_off |= cut_off;
        self.session = Some(session.clone());
        (self.phase, self.problem) = match state {
            SessionState::Running => (NodePhase::Running, None),
            SessionState::Succeeded => (NodePhase::Succeeded, None),
            SessionState::Failed { reason, message } => (NodePhase::Failed, Some((*reason, message.clone()))),
            SessionState::Refused { reason, message } => (NodePhase::Refused, Some((*reason, message.clone()))),
        };
        cut_off
    }

    /// The node's agent has not been there for too long, or the job's end passed without its last report.
    pub fn give_up(&mut self, why: Absence) {
        let (phase, reason, message) = match (&self.session, why) {
            (None, Absence::NoAgent | Absence::NodeRemoved) => {
                (NodePhase::Failed, FailureReason::NoAgent, "no agent of this node is connected")
            }
            (_, Absence::NodeRemoved) => {
                (NodePhase::Lost, FailureReason::NodeRemoved, "the node was removed; what it had reported is counted")
            }
            (_, Absence::NoAgent) => (
                NodePhase::Lost,
                FailureReason::NodeLost,
                "the agent is not heard of any more; what it had reported is counted",
            ),
            (_, Absence::Silent) => (
                NodePhase::Lost,
                FailureReason::NodeLost,
                "the end of the session was not reported in time; what it had reported is counted",
            ),
        };
        self.phase = phase;
        self.problem = Some((reason, message.to_owned()));
    }

    /// The agent of a node that was given up is there again; it will tell how things are.
    pub fn returned(&mut self) {
        if self.was_given_up() {
            self.problem = None;
            self.phase = if self.session.is_some() { NodePhase::Running } else { NodePhase::Waiting };
        }
    }
}

/// Why a node is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Its agent has no stream.
    NoAgent,
    /// The same, and there is no such node any more.
    NodeRemoved,
    /// Its agent is there, but has not reported the end.
    Silent,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> SessionId {
        SessionId(name.to_owned())
    }

    fn reason(node: &NodeRun) -> Option<FailureReason> {
        node.problem().map(|(reason, _)| reason)
    }

    #[test]
    fn a_second_session_tells_that_the_first_was_cut_off() {
        let mut node = NodeRun::default();
        assert!(!node.reported(&session("1"), &SessionState::Running));
        assert!(node.reported(&session("2"), &SessionState::Running));
        assert_eq!(reason(&node), Some(FailureReason::AgentRestarted));
        assert!(!node.reported(&session("2"), &SessionState::Succeeded));
        assert_eq!((node.phase, reason(&node)), (NodePhase::Succeeded, Some(FailureReason::AgentRestarted)));
    }

    #[test]
    fn a_node_that_never_reported_has_no_agent_and_one_that_did_is_lost() {
        let mut silent = NodeRun::default();
        silent.give_up(Absence::NoAgent);
        assert_eq!((silent.phase, reason(&silent)), (NodePhase::Failed, Some(FailureReason::NoAgent)));
        let mut running = NodeRun::default();
        running.reported(&session("1"), &SessionState::Running);
        running.give_up(Absence::NodeRemoved);
        assert_eq!((running.phase, reason(&running)), (NodePhase::Lost, Some(FailureReason::NodeRemoved)));
    }

    #[test]
    fn a_lost_node_that_returns_is_well_again() {
        let mut node = NodeRun::default();
        node.reported(&session("1"), &SessionState::Running);
        node.give_up(Absence::NoAgent);
        node.returned();
        assert!(!node.is_over());
        assert!(!node.reported(&session("1"), &SessionState::Running));
        assert_eq!((node.phase, reason(&node)), (NodePhase::Running, None));
    }

    #[test]
    fn a_failed_session_stays_failed_when_its_agent_returns() {
        let mut node = NodeRun::default();
        let failed = SessionState::Failed { reason: FailureReason::LoadFailed, message: "no".to_owned() };
        node.reported(&session("1"), &failed);
        node.returned();
        assert_eq!((node.phase, reason(&node)), (NodePhase::Failed, Some(FailureReason::LoadFailed)));
        assert!(node.has_ended());
    }
}
