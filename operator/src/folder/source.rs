//! Looks into the folder again and again and tells the index what changed.
//!
//! A job's uid is a digest of its namespace, name and immutable spec: a file that is edited is another job in place of the
//! one before, and a restarted operator recognises a job it had begun.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::TraceJob;
use api::wire::JobUid;
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use super::manifests::{Named, Objects};
use super::writer::read_status;
use crate::hub::Hub;
use crate::index::{Event, JobRef, JobSeen};
use crate::store::{Files, Store};

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(250);

/// A folder of manifests.
pub struct Folder {
    manifests: PathBuf,
    files: Files,
    hub: Arc<Hub>,
    objects: Objects,
    uids: BTreeMap<Named, JobUid>,
    /// What was wrong last time, so that it is said once.
    complaints: BTreeSet<String>,
}

impl Folder {
    /// The manifests in one folder, with the statuses and results in another.
    pub fn new(manifests: PathBuf, files: Files, hub: Arc<Hub>) -> Self {
        let (objects, uids, complaints) = Default::default();
        Self { manifests, files, hub, objects, uids, complaints }
    }

    /// Looks until dropped.
    pub async fn watch(mut self) {
        let mut synced = false;
        loop {
            match texts(&self.manifests) {
                Ok(texts) => {
                    self.look(&texts).await;
                    if !std::mem::replace(&mut synced, true) {
                        self.hub.apply(Event::Synced);
                    }
                }
                Err(error) => self.complain([format!("{}: {error}", self.manifests.display())].into()),
            }
            sleep(INTERVAL).await;
        }
    }

    async fn look(&mut self, texts: &BTreeMap<PathBuf, String>) {
        let mut objects = Objects::default();
        let mut complaints = BTreeSet::new();
        for (path, text) in texts {
            if let Err(error) = objects.read(text) {
                complaints.insert(format!("{}: {error}", path.display()));
            }
        }
        self.complain(complaints);
        if objects == self.objects {
            return;
        }
        let before = std::mem::replace(&mut self.objects, objects);
        for gone in before.nodes.keys().filter(|name| !self.objects.nodes.contains_key(*name)) {
            self.hub.apply(Event::NodeGone(gone.clone()));
        }
        for (name, labels) in self.objects.nodes.iter().filter(|(name, labels)| before.nodes.get(*name) != Some(labels))
        {
            self.hub.apply(Event::NodeSeen { name: name.clone(), labels: labels.clone() });
        }
        self.tell_jobs().await;
    }

    async fn tell_jobs(&mut self) {
        let uids: BTreeMap<Named, JobUid> =
            self.objects.jobs.iter().map(|(name, job)| (name.clone(), uid(name, job))).collect();
        let before = std::mem::replace(&mut self.uids, uids);
        for (name, gone) in before {
            if self.uids.get(&name) != Some(&gone) {
                self.hub.apply(Event::JobGone(gone));
            }
        }
        for (named, job) in &self.objects.jobs {
            let Some(uid) = self.uids.get(named).cloned() else { continue };
            let (namespace, name) = named.clone();
            let reference = JobRef { uid, namespace, name };
            let stored = Store::Files(self.files.clone()).load(&reference).await;
            let seen = JobSeen {
                generation: job.metadata.generation.unwrap_or(1),
                spec: job.spec.clone(),
                status: read_status(self.files.folder(), &reference),
                script: self.objects.script(named, job),
                stored: stored.ok().flatten().map(Box::new),
                job: reference,
            };
            self.hub.apply(Event::JobSeen(Box::new(seen)));
        }
    }

    fn complain(&mut self, complaints: BTreeSet<String>) {
        complaints.difference(&self.complaints).for_each(|complaint| tracing::warn!("{complaint}"));
        self.complaints = complaints;
    }
}

fn uid(name: &Named, job: &TraceJob) -> JobUid {
    let spec = serde_json::to_vec(&job.spec.immutable_part()).unwrap_or_default();
    let digest = Sha256::new()
        .chain_update(name.0.as_bytes())
        .chain_update([0])
        .chain_update(name.1.as_bytes())
        .chain_update([0])
        .chain_update(spec)
        .finalize();
    JobUid(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

/// The text of every manifest in the folder itself.
fn texts(folder: &Path) -> io::Result<BTreeMap<PathBuf, String>> {
    let mut texts = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_manifest = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_manifest && path.is_file() {
            let text = std::fs::read_to_string(&path)?;
            texts.insert(path, text);
        }
    }
    Ok(texts)
}
