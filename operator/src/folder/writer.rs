//! Writes statuses and documents into a folder: `NAMESPACE.NAME.status.yaml` for people, documents by uid.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::status::TraceJobStatus;
use api::wire::JobUid;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::hub::Hub;
use crate::index::{Effect, Event, JobRef};
use crate::store::{Files, Store, write};

/// A status file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    uid: JobUid,
    status: TraceJobStatus,
}

/// Writes until the hub is gone.
pub async fn run(files: Files, hub: Arc<Hub>, mut effects: UnboundedReceiver<Effect>) {
    let store = Store::Files(files.clone());
    while let Some(effect) = effects.recv().await {
        match effect {
            Effect::WriteStatus(job, status) => write_status(files.folder(), &job, *status),
            Effect::Store { job, attempt, document } => {
                let outcome = store.save(&job, *document).await;
                hub.apply(Event::Stored { job: job.uid, attempt, outcome });
            }
            Effect::Tell { job, warning: true, reason, note } => {
                tracing::warn!(namespace = job.namespace, name = job.name, %reason, note);
            }
            Effect::Tell { job, reason, note, .. } => {
                tracing::info!(namespace = job.namespace, name = job.name, %reason, note);
            }
            // The files are the user's.
            Effect::Delete(job) => {
                tracing::info!(
                    namespace = job.namespace,
                    name = job.name,
                    "its time to live is over; delete its manifest"
                );
            }
            Effect::Assign(_) => {}
        }
    }
}

fn write_status(folder: &Path, job: &JobRef, status: TraceJobStatus) {
    let kept = Kept { uid: job.uid.clone(), status };
    let written = serde_saphyr::to_string(&kept)
        .map_err(|error| error.to_string())
        .and_then(|yaml| write(&path(folder, job), yaml.as_bytes()).map_err(|error| error.to_string()));
    if let Err(error) = written {
        tracing::warn!(namespace = job.namespace, name = job.name, error, "a status could not be written");
    }
}

/// The status that was written for this very job, if there is one.
pub(super) fn read_status(folder: &Path, job: &JobRef) -> Option<TraceJobStatus> {
    let text = std::fs::read_to_string(path(folder, job)).ok()?;
    let kept: Kept = serde_saphyr::from_str(&text).ok()?;
    (kept.uid == job.uid).then_some(kept.status)
}

fn path(folder: &Path, job: &JobRef) -> PathBuf {
    folder.join(format!("{}.{}.status.yaml", job.namespace, job.name))
}

#[cfg(test)]
mod tests {
    use api::status::Phase;

    use super::*;

    fn job(uid: &str) -> JobRef {
        JobRef { uid: JobUid(uid.to_owned()), namespace: "default".to_owned(), name: "job".to_owned() }
    }

    #[test]
    fn a_status_is_read_back_for_the_same_job_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let results = api::status::Results { text: "@: 5\n\n  ~ \"x\": y\n".to_owned(), ..Default::default() };
        let status = TraceJobStatus { phase: Phase::Running, results: Some(results), ..TraceJobStatus::default() };
        write_status(folder.path(), &job("1"), status.clone());
        assert_eq!(read_status(folder.path(), &job("1")), Some(status));
        assert_eq!(read_status(folder.path(), &job("2")), None);
    }
}
