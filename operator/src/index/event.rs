//! What happens to the index, and what it wants done about it. Values only: sources make events, edges carry effects out.

use std::collections::BTreeMap;

use api::reason::Reason;
use api::status::TraceJobStatus;
use api::tracejob::TraceJobSpec;
use api::wire::JobUid;

use super::document::Document;

/// Which TraceJob.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobRef {
    /// `metadata.uid`.
    pub uid: JobUid,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

/// A TraceJob as its source sees it.
#[derive(Clone, Debug)]
pub struct JobSeen {
    /// Which one.
    pub job: JobRef,
    /// `metadata.generation`.
    pub generation: i64,
    /// What is asked for.
    pub spec: TraceJobSpec,
    /// The status it has there; only read when the index does not know the job yet.
    pub status: Option<TraceJobStatus>,
    /// The script's text, or why it cannot be had.
    pub script: Result<String, String>,
    /// What an earlier operator stored of the job, if it was running.
    pub stored: Option<Box<Document>>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A TraceJob is there, or changed.
    JobSeen(Box<JobSeen>),
    /// A TraceJob is gone.
    JobGone(JobUid),
    /// A node is there, or its labels changed.
    NodeSeen {
        /// Its name.
        name: String,
        /// Its labels.
        labels: BTreeMap<String, String>,
    },
    /// A node is gone.
    NodeGone(String),
    /// The sources have told everything that was there when they began. Nothing is assigned before.
    Synced,
    /// A node's agent opened an assignment stream.
    AgentCame(String),
    /// A node's agent lost an assignment stream.
    AgentWent(String),
    /// An attempt to store a job's document ended.
    Stored {
        /// Whose.
        job: JobUid,
        /// Which attempt: the number that [`Effect::Store`] carried.
        attempt: u64,
        /// How.
        outcome: StoreOutcome,
    },
    /// Time passed.
    Tick,
}

/// How an attempt to store ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreOutcome {
    /// All of it is stored.
    Whole,
    /// Stored, without the part per node, which did not fit.
    WithoutNodes,
    /// Nothing is stored.
    Failed(String),
}

/// Something to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// What this node shall do may have changed: see [`super::Index::desired`].
    Assign(String),
    /// Write this status.
    WriteStatus(JobRef, Box<TraceJobStatus>),
    /// Tell people who watch the job.
    Tell {
        /// About which job.
        job: JobRef,
        /// Whether it is bad news.
        warning: bool,
        /// In one word.
        reason: Reason,
        /// In a sentence.
        note: String,
    },
    /// Store this where it outlives the operator, in place of what was stored before; answer with [`Event::Stored`].
    Store {
        /// Whose.
        job: JobRef,
        /// To be repeated in the answer.
        attempt: u64,
        /// What.
        document: Box<Document>,
    },
    /// Delete the TraceJob: its time to live has passed.
    Delete(JobRef),
}
