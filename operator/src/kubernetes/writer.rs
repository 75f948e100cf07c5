//! The only writer to the API server: statuses, events, results, and deletions when a job's time to live is over.
//!
//! Of each job only the newest status is written, one write at a time, and again until it succeeds or the job is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use api::TraceJob;
use api::status::TraceJobStatus;
use api::wire::JobUid;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::runtime::events::{Event as Told, EventType, Recorder, Reporter};
use kube::{Api, Client, Resource};
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::FIELD_MANAGER;
use crate::hub::Hub;
use crate::index::{Effect, Event, JobRef, StoreOutcome};
use crate::store::Store;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait after a failed write.
const PAUSE: Duration = Duration::from_secs(1);
/// Most status writes at a time.
const AT_A_TIME: usize = 16;

/// Writes.
pub struct Writer {
    client: Client,
    hub: Arc<Hub>,
    store: Arc<Store>,
    recorder: Recorder,
    waiting: BTreeMap<JobUid, (JobRef, Box<TraceJobStatus>)>,
    writing: BTreeSet<JobUid>,
}

/// A status write that ended.
struct Written {
    job: JobRef,
    status: Box<TraceJobStatus>,
    again: bool,
}

impl Writer {
    /// A writer that calls itself `instance` in events.
    pub fn new(client: Client, hub: Arc<Hub>, store: Arc<Store>, instance: String) -> Self {
        let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(instance) };
        let recorder = Recorder::new(client.clone(), reporter);
        Self { client, hub, store, recorder, waiting: BTreeMap::new(), writing: BTreeSet::new() }
    }

    /// Writes until the hub is gone.
    pub async fn run(mut self, mut effects: UnboundedReceiver<Effect>) {
        let mut writes: JoinSet<Written> = JoinSet::new();
        let mut others: JoinSet<()> = JoinSet::new();
        loop {
            tokio::select! {
                effect = effects.recv() => match effect {
                    Some(Effect::WriteStatus(job, status)) => drop(self.waiting.insert(job.uid.clone(), (job, status))),
                    Some(effect) => self.carry_out(effect, &mut others),
                    None => return,
                },
                Some(written) = writes.join_next() => self.written(written),
                Some(_) = others.join_next() => {}
            }
            self.write(&mut writes);
        }
    }

    fn write(&mut self, writes: &mut JoinSet<Written>) {
        while writes.len() < AT_A_TIME {
            let next = self.waiting.keys().find(|uid| !self.writing.contains(*uid)).cloned();
            let Some((job, status)) = next.and_then(|uid| self.waiting.remove(&uid)) else { return };
            self.writing.insert(job.uid.clone());
            writes.spawn(write_status(self.client.clone(), job, status));
        }
    }

    fn written(&mut self, written: Result<Written, tokio::task::JoinError>) {
        let Ok(Written { job, status, again }) = written else { return };
        self.writing.remove(&job.uid);
        if again {
            self.waiting.entry(job.uid.clone()).or_insert((job, status));
        }
    }

    fn carry_out(&self, effect: Effect, others: &mut JoinSet<()>) {
        match effect {
            Effect::Tell { job, warning, reason, note } => {
                let recorder = self.recorder.clone();
                others.spawn(async move {
                    let type_ = if warning { EventType::Warning } else { EventType::Normal };
                    let told = Told {
                        type_,
                        reason: reason.to_string(),
                        note: Some(note),
                        action: "Trace".to_owned(),
                        secondary: None,
                    };
                    if let Err(error) = recorder.publish(&told, &reference(&job)).await {
                        tracing::warn!(namespace = job.namespace, name = job.name, %error, "no event could be made");
                    }
                });
            }
            Effect::Store { job, attempt, document } => {
                let (hub, store) = (self.hub.clone(), self.store.clone());
                others.spawn(async move {
                    let late = StoreOutcome::Failed("the API server does not answer".to_owned());
                    let outcome = timeout(PATIENCE, store.save(&job, *document)).await.unwrap_or(late);
                    if let StoreOutcome::Failed(why) = &outcome {
                        tracing::warn!(namespace = job.namespace, name = job.name, why, "results could not be stored");
                    }
                    hub.apply(Event::Stored { job: job.uid, attempt, outcome });
                });
            }
            Effect::Delete(job) => drop(others.spawn(delete(self.client.clone(), job))),
            Effect::Assign(_) | Effect::WriteStatus(..) => {}
        }
    }
}

async fn write_status(client: Client, job: JobRef, status: Box<TraceJobStatus>) -> Written {
    let jobs: Api<TraceJob> = Api::namespaced(client, &job.namespace);
    let patch = json!({
        "apiVersion": TraceJob::api_version(&()),
        "kind": TraceJob::kind(&()),
        // With the uid a namesake made in the meantime is left alone.
        "metadata": { "name": job.name, "namespace": job.namespace, "uid": job.uid },
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let again = match timeout(PATIENCE, jobs.patch_status(&job.name, &params, &Patch::Apply(&patch))).await {
        Ok(Ok(_)) => false,
        Ok(Err(kube::Error::Api(refused))) if matches!(refused.code, 404 | 409) => false,
        Ok(Err(error)) => {
            tracing::warn!(namespace = job.namespace, name = job.name, %error, "a status could not be written");
            // What the API server finds invalid now it will find invalid again.
            !matches!(&error, kube::Error::Api(refused) if refused.code == 422)
        }
        Err(_) => true,
    };
    if again {
        sleep(PAUSE).await;
    }
    Written { job, status, again }
}

async fn delete(client: Client, job: JobRef) {
    let jobs: Api<TraceJob> = Api::namespaced(client, &job.namespace);
    let uid = Some(job.uid.to_string());
    let params = DeleteParams {
        preconditions: Some(Preconditions { uid, resource_version: None }),
        ..DeleteParams::background()
    };
    loop {
        match jobs.delete(&job.name, &params).await {
            Ok(_) => return,
            Err(kube::Error::Api(refused)) if matches!(refused.code, 404 | 409) => return,
            Err(error) => {
                tracing::warn!(namespace = job.namespace, name = job.name, %error, "a job could not be deleted")
            }
        }
        sleep(PAUSE * 10).await;
    }
}

fn reference(job: &JobRef) -> ObjectReference {
    ObjectReference {
        api_version: Some(TraceJob::api_version(&()).into_owned()),
        kind: Some(TraceJob::kind(&()).into_owned()),
        name: Some(job.name.clone()),
        namespace: Some(job.namespace.clone()),
        uid: Some(job.uid.to_string()),
        ..ObjectReference::default()
    }
}
