//! A job that is over: its last status, and for a while its rows.

use std::sync::Arc;
use std::time::Duration;

use api::status::TraceJobStatus;
use api::tracejob::TraceJobSpec;
use api::wire::Lost;
use jiff::Timestamp;

use super::document::Outcome;
use super::event::JobRef;
use super::world::elapsed;

/// A job that is over.
#[derive(Debug)]
pub struct Done {
    pub(super) job: JobRef,
    pub(super) spec: TraceJobSpec,
    pub(super) status: TraceJobStatus,
    since: Timestamp,
    outcome: Option<Arc<Outcome>>,
    lost: Lost,
    delete_told: bool,
}

impl Done {
    /// A job that ended now, or is found ended.
    pub fn new(
        job: JobRef,
        spec: TraceJobSpec,
        status: TraceJobStatus,
        outcome: Option<Outcome>,
        now: Timestamp,
    ) -> Self {
        let since = status.completion_time.as_ref().map_or(now, |time| time.0);
        Self { job, spec, status, since, outcome: outcome.map(Arc::new), lost: Lost::default(), delete_told: false }
    }

    /// Its sessions had dropped so much.
    #[must_use]
    pub fn with_lost(self, lost: Lost) -> Self {
        Self { lost, ..self }
    }

    /// What its sessions had dropped, as far as known.
    pub fn lost(&self) -> Lost {
        self.lost
    }

    /// Its rows, while they are kept in memory.
    pub fn outcome(&self) -> Option<&Arc<Outcome>> {
        self.outcome.as_ref()
    }

    /// Lets go of the rows when their time is over. Whether the TraceJob is to be deleted now.
    pub fn age(&mut self, retention: Duration, now: Timestamp) -> bool {
        let age = elapsed(self.since, now);
        if age >= retention {
            self.outcome = None;
        }
        let ttl = self.spec.ttl_after_finished.map(Duration::from);
        let delete = !self.delete_told && ttl.is_some_and(|ttl| age >= ttl);
        self.delete_told |= delete;
        delete
    }
}
