//! From what the operator wishes and what is here to what is to be done about each job. Pure.

use std::collections::BTreeMap;

use api::wire::{Assignment, Desired, JobUid, SessionId};

/// What to do about one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Begin a session.
    Begin(Box<Assignment>),
    /// End its session now and report what was counted.
    End(JobUid),
    /// Its session has no purpose any more: end it and forget its results.
    Forget(JobUid),
    /// The operator holds this report of its session.
    Held(JobUid, Option<u64>),
}

/// The orders that bring `here`, the sessions by their job, to what is desired.
pub fn orders(desired: Desired, here: &BTreeMap<JobUid, SessionId>) -> Vec<Order> {
    let wanted: BTreeMap<JobUid, Assignment> =
        desired.assignments.into_iter().map(|assignment| (assignment.job.clone(), assignment)).collect();
    let forgotten = here.keys().filter(|job| !wanted.contains_key(*job)).cloned().map(Order::Forget);
    let mut orders: Vec<Order> = forgotten.collect();
    for (job, assignment) in wanted {
        match here.get(&job) {
            Some(session) => {
                let held = assignment.have.iter().find(|have| have.session == *session).map(|have| have.seq);
                orders.push(Order::Held(job.clone(), held));
                if assignment.stop {
                    orders.push(Order::End(job));
                }
            }
            None if assignment.stop || assignment.remaining_ms == 0 => {}
            None => orders.push(Order::Begin(Box::new(assignment))),
        }
    }
    orders
}

#[cfg(test)]
mod tests {
    use api::wire::{Have, SessionLimits};

    use super::*;

    fn assignment(job: &str) -> Assignment {
        Assignment {
            job: JobUid(job.to_owned()),
            namespace: "n".to_owned(),
            name: job.to_owned(),
            script: String::new(),
            args: vec![],
            remaining_ms: 1000,
            stop: false,
            limits: SessionLimits { map_entries: 1, output_lines: 1 },
            report_interval_ms: 1000,
            have: vec![],
        }
    }

    fn given(assignments: Vec<Assignment>, here: &[(&str, &str)]) -> Vec<Order> {
        let here = here.iter().map(|(job, session)| (JobUid((*job).to_owned()), SessionId((*session).to_owned())));
        orders(Desired { assignments }, &here.collect())
    }

    #[test]
    fn what_is_missing_begins_and_what_is_gone_is_forgotten() {
        let orders = given(vec![assignment("new")], &[("old", "s")]);
        let begin = Order::Begin(Box::new(assignment("new")));
        assert_eq!(orders, [Order::Forget(JobUid("old".to_owned())), begin]);
    }

    #[test]
    fn an_ended_or_expired_job_does_not_begin() {
        assert!(given(vec![Assignment { stop: true, ..assignment("j") }], &[]).is_empty());
        assert!(given(vec![Assignment { remaining_ms: 0, ..assignment("j") }], &[]).is_empty());
    }

    #[test]
    fn a_running_session_learns_what_the_operator_holds_of_it() {
        let have = vec![
            Have { session: SessionId("other".to_owned()), seq: 9 },
            Have { session: SessionId("s".to_owned()), seq: 4 },
        ];
        let job = || JobUid("j".to_owned());
        let stopping = Assignment { have, stop: true, ..assignment("j") };
        assert_eq!(given(vec![stopping], &[("j", "s")]), [Order::Held(job(), Some(4)), Order::End(job())]);
        assert_eq!(given(vec![assignment("j")], &[("j", "s")]), [Order::Held(job(), None)]);
    }
}
