//! Watches TraceJobs and nodes and tells the index. Resolves what a job refers to: the ConfigMap with its script, and what
//! an earlier operator stored of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::TraceJob;
use api::status::Phase;
use api::wire::JobUid;
use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::watcher::{Config, Event as Watched};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::sync::oneshot;

use crate::hub::Hub;
use crate::index::{Event, JobRef, JobSeen};
use crate::store::Store;

/// Watches until dropped.
pub async fn watch(client: Client, hub: Arc<Hub>, store: Arc<Store>) {
    let (nodes_listed, nodes_told) = oneshot::channel();
    let (jobs_listed, jobs_told) = oneshot::channel();
    let synced = async {
        if nodes_told.await.is_ok() && jobs_told.await.is_ok() {
            tracing::info!("jobs and nodes are listed");
            hub.apply(Event::Synced);
        }
        std::future::pending::<()>().await;
    };
    let jobs = Jobs { client: client.clone(), hub: hub.clone(), store, known: BTreeMap::new() };
    tokio::join!(watch_nodes(client, hub.clone(), nodes_listed), jobs.watch(jobs_listed), synced);
}

async fn watch_nodes(client: Client, hub: Arc<Hub>, listed: oneshot::Sender<()>) {
    let mut listed = Some(listed);
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut before: BTreeSet<String> = BTreeSet::new();
    let mut watched = watcher(Api::<PartialObjectMeta<Node>>::all(client), Config::default()).default_backoff().boxed();
    while let Some(event) = watched.next().await {
        match event {
            Ok(Watched::Init) => before = std::mem::take(&mut known),
            Ok(Watched::Apply(node) | Watched::InitApply(node)) => {
                known.insert(node.name_any());
                hub.apply(node_seen(node));
            }
            Ok(Watched::Delete(node)) => {
                known.remove(&node.name_any());
                hub.apply(Event::NodeGone(node.name_any()));
            }
            Ok(Watched::InitDone) => {
                before.difference(&known).for_each(|gone| hub.apply(Event::NodeGone(gone.clone())));
                tell_listed(&mut listed);
            }
            Err(error) => tracing::warn!(%error, "nodes cannot be watched now"),
        }
    }
}

/// The first list is complete.
fn tell_listed(listed: &mut Option<oneshot::Sender<()>>) {
    // Without a receiver the watch is ending.
    let _ = listed.take().map(|listed| listed.send(()));
}

fn node_seen(node: PartialObjectMeta<Node>) -> Event {
    Event::NodeSeen { name: node.name_any(), labels: node.metadata.labels.unwrap_or_default() }
}

struct Jobs {
    client: Client,
    hub: Arc<Hub>,
    store: Arc<Store>,
    /// By namespace and name, since a job that cannot be read has no uid to tell.
    known: BTreeMap<(String, String), JobUid>,
}

impl Jobs {
    async fn watch(mut self, listed: oneshot::Sender<()>) {
        let mut listed = Some(listed);
        let mut before = BTreeMap::new();
        // One job that cannot be read must not keep the others from being seen.
        let api: Api<DeserializeGuard<TraceJob>> = Api::all_with(self.client.clone(), &());
        let mut watched = watcher(api, Config::default()).default_backoff().boxed();
        while let Some(event) = watched.next().await {
            match event {
                Ok(Watched::Init) => before = std::mem::take(&mut self.known),
                Ok(Watched::Apply(job) | Watched::InitApply(job)) => self.seen(job).await,
                Ok(Watched::Delete(job)) => self.gone(&name(&job)),
                Ok(Watched::InitDone) => {
                    let there: BTreeSet<&JobUid> = self.known.values().collect();
                    let gone = before.values().filter(|uid| !there.contains(uid));
                    gone.for_each(|uid| self.hub.apply(Event::JobGone(uid.clone())));
                    tell_listed(&mut listed);
                }
                Err(error) => tracing::warn!(%error, "jobs cannot be watched now"),
            }
        }
    }

    fn gone(&mut self, name: &(String, String)) {
        if let Some(uid) = self.known.remove(name) {
            self.hub.apply(Event::JobGone(uid));
        }
    }

    async fn seen(&mut self, job: DeserializeGuard<TraceJob>) {
        let name = name(&job);
        let job = match job.0 {
            Ok(job) => job,
            Err(error) => {
                tracing::warn!(namespace = name.0, name = name.1, %error, "a TraceJob cannot be read");
                return;
            }
        };
        let Some(uid) = job.metadata.uid.clone().map(JobUid) else { return };
        if job.metadata.deletion_timestamp.is_some() {
            return self.gone(&name);
        }
        if let Some(earlier) = self.known.insert(name.clone(), uid.clone()).filter(|earlier| *earlier != uid) {
            self.hub.apply(Event::JobGone(earlier));
        }
        let (namespace, name) = name;
        let reference = JobRef { uid, namespace, name };
        let seen = self.resolved(reference, job).await;
        self.hub.apply(Event::JobSeen(Box::new(seen)));
    }

    async fn resolved(&self, reference: JobRef, job: TraceJob) -> JobSeen {
        let undecided =
            self.hub.ask(|index, _| index.phase_of(&reference.uid)).is_none_or(|phase| phase == Phase::Pending);
        let over = job.status.as_ref().is_some_and(|status| status.phase.is_final());
        let runs = job.status.as_ref().is_some_and(|status| status.phase == Phase::Running);
        let script = match &job.spec.script {
            Some(script) => Ok(script.clone()),
            None if undecided && !over => self.script(&reference.namespace, &job).await,
            None => Err("not read again after the start".to_owned()),
        };
        JobSeen {
            stored: if undecided && runs { self.stored(&reference).await } else { None },
            generation: job.metadata.generation.unwrap_or_default(),
            status: job.status,
            spec: job.spec,
            job: reference,
            script,
        }
    }

    async fn script(&self, namespace: &str, job: &TraceJob) -> Result<String, String> {
        let Some(source) = &job.spec.script_from else { return Err("the job has no script".to_owned()) };
        let wanted = &source.config_map_key_ref;
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let found = config_maps.get_opt(&wanted.name).await.map_err(|error| error.to_string())?;
        let found = found.ok_or_else(|| format!("there is no ConfigMap {} in namespace {namespace}", wanted.name))?;
        let text = found.data.and_then(|mut data| data.remove(&wanted.key));
        text.ok_or_else(|| format!("ConfigMap {} has no key {}", wanted.name, wanted.key))
    }

    async fn stored(&self, job: &JobRef) -> Option<Box<crate::index::document::Document>> {
        match self.store.load(job).await {
            Ok(document) => document.map(Box::new),
            Err(error) => {
                tracing::warn!(namespace = job.namespace, name = job.name, %error, "what was stored cannot be had");
                None
            }
        }
    }
}

fn name(job: &DeserializeGuard<TraceJob>) -> (String, String) {
    (job.namespace().unwrap_or_default(), job.name_any())
}
