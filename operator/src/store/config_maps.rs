//! Documents in ConfigMaps beside their TraceJob, in as many parts as needed. The TraceJob owns them, so they go with it.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams};
use kube::{Api, Client, Resource};

use super::{StoreError, encoding};
use crate::FIELD_MANAGER;
use crate::index::document::Document;
use crate::index::{JobRef, StoreOutcome};

/// Bytes of one part. A ConfigMap holds 1 MiB, and a request with the part in base64 must stay below 1.5 MiB.
const PART: usize = 900 * 1024;
/// Most parts of one document.
const PARTS: usize = 8;
/// The key under which a part is kept.
const KEY: &str = "document.json.gz";
/// The label that names the TraceJob.
const LABEL: &str = "bpfleet.dev/tracejob";
/// On each part: how many there are.
const COUNT: &str = "bpfleet.dev/parts";

/// Documents on the API server.
#[derive(Clone)]
pub struct ConfigMaps {
    client: Client,
}

impl ConfigMaps {
    /// Documents that this client writes and reads.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    fn api(&self, job: &JobRef) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &job.namespace)
    }

    pub(super) async fn save(&self, job: &JobRef, document: Document) -> Result<StoreOutcome, StoreError> {
        let most = PART * PARTS;
        let mut outcome = StoreOutcome::Whole;
        let mut packed = encoding::pack(&document)?;
        if packed.len() > most {
            outcome = StoreOutcome::WithoutNodes;
            packed = encoding::pack(&document.without_nodes())?;
        }
        if packed.len() > most {
            return Err(StoreError::TooLarge { bytes: packed.len(), most });
        }
        let parts: Vec<&[u8]> = packed.chunks(PART).collect();
        // The first part counts the others: it is written last, so that a reader never misses one.
        for (number, bytes) in parts.iter().enumerate().rev() {
            self.write(job, number, parts.len(), bytes).await?;
        }
        for number in parts.len()..PARTS {
            if !self.remove(job, number).await? {
                break;
            }
        }
        Ok(outcome)
    }

    async fn write(&self, job: &JobRef, number: usize, count: usize, bytes: &[u8]) -> Result<(), StoreError> {
        let metadata = ObjectMeta {
            name: Some(name(job, number)),
            namespace: Some(job.namespace.clone()),
            labels: Some(labels(job)),
            annotations: Some([(COUNT.to_owned(), count.to_string())].into()),
            owner_references: Some(vec![owner(job)]),
            ..ObjectMeta::default()
        };
        let data = BTreeMap::from([(KEY.to_owned(), ByteString(bytes.to_vec()))]);
        let config_map = ConfigMap { metadata, binary_data: Some(data), ..ConfigMap::default() };
        let params = PatchParams::apply(FIELD_MANAGER).force();
        self.api(job).patch(&name(job, number), &params, &Patch::Apply(&config_map)).await?;
        Ok(())
    }

    /// Removes a part of an earlier, larger document. Whether there was one.
    async fn remove(&self, job: &JobRef, number: usize) -> Result<bool, StoreError> {
        match self.api(job).delete(&name(job, number), &DeleteParams::default()).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn load(&self, job: &JobRef) -> Result<Option<Document>, StoreError> {
        let Some(first) = self.api(job).get_opt(&name(job, 0)).await? else { return Ok(None) };
        let count = first.metadata.annotations.as_ref().and_then(|annotations| annotations.get(COUNT));
        let count: usize = count
            .and_then(|count| count.parse().ok())
            .filter(|count| (1..=PARTS).contains(count))
            .ok_or_else(|| StoreError::Damaged("the number of parts is missing".to_owned()))?;
        let mut bytes = part(first)?;
        for number in 1..count {
            let next = self.api(job).get(&name(job, number)).await?;
            bytes.extend(part(next)?);
        }
        encoding::unpack(&bytes).map(Some)
    }
}

fn part(config_map: ConfigMap) -> Result<Vec<u8>, StoreError> {
    let data = config_map.binary_data.and_then(|mut data| data.remove(KEY));
    data.map(|bytes| bytes.0).ok_or_else(|| StoreError::Damaged(format!("{KEY} is missing")))
}

fn name(job: &JobRef, number: usize) -> String {
    format!("bpfleet-results-{}-{number}", job.uid)
}

/// A label's value holds less than a name may have.
fn labels(job: &JobRef) -> BTreeMap<String, String> {
    let fits = job.name.len() <= 63;
    let labels = [("app.kubernetes.io/managed-by", "bpfleet"), (LABEL, job.name.as_str())];
    labels
        .into_iter()
        .filter(|(key, _)| fits || *key != LABEL)
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn owner(job: &JobRef) -> OwnerReference {
    OwnerReference {
        api_version: api::TraceJob::api_version(&()).into_owned(),
        kind: api::TraceJob::kind(&()).into_owned(),
        name: job.name.clone(),
        uid: job.uid.to_string(),
        controller: Some(true),
        block_owner_deletion: Some(false),
    }
}

#[cfg(test)]
mod tests {
    use api::wire::JobUid;
    use http::{Method, Request, Response};
    use kube::client::Body;

    use super::*;
    use crate::index::document::{Checkpoint, Outcome};

    fn job() -> JobRef {
        JobRef { uid: JobUid("u1".to_owned()), namespace: "tracing".to_owned(), name: "job".to_owned() }
    }

    /// An API server that knows ConfigMaps alone.
    async fn serve(mut handle: tower_test::mock::Handle<Request<Body>, Response<Body>>) {
        let mut kept: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        while let Some((request, answer)) = handle.next_request().await {
            let path = request.uri().path().to_owned();
            let (status, body) = match *request.method() {
                Method::PATCH => {
                    let body = request.into_body().collect_bytes().await.expect("a body").to_vec();
                    kept.insert(path, body.clone());
                    (200, body)
                }
                Method::DELETE | Method::GET => match kept.get(&path) {
                    Some(body) => (200, body.clone()),
                    None => {
                        let missing = serde_json::json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
                            "status": "Failure", "reason": "NotFound", "message": "missing", "code": 404});
                        (404, missing.to_string().into_bytes())
                    }
                },
                _ => (405, Vec::new()),
            };
            answer.send_response(Response::builder().status(status).body(Body::from(body)).expect("a response"));
        }
    }

    fn store() -> ConfigMaps {
        let (service, handle) = tower_test::mock::pair();
        tokio::spawn(serve(handle));
        ConfigMaps::new(Client::new(service, "default"))
    }

    /// A script that does not compress, made without randomness.
    fn noise(bytes: usize) -> String {
        let mut state = 1u64;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b' ' + u8::try_from((state >> 33) % 94).unwrap_or_default())
        };
        (0..bytes).map(next).collect()
    }

    fn checkpoint(script: String) -> Document {
        Document::Checkpoint(Checkpoint { script, ..Checkpoint::default() })
    }

    #[tokio::test]
    async fn a_document_in_several_parts_comes_back() {
        let store = store();
        assert_eq!(store.load(&job()).await.expect("an answer"), None);
        for size in [PART * 3, 10] {
            let document = checkpoint(noise(size));
            assert_eq!(store.save(&job(), document.clone()).await.expect("stored"), StoreOutcome::Whole);
            assert_eq!(store.load(&job()).await.expect("an answer"), Some(document));
        }
    }

    #[tokio::test]
    async fn what_each_node_contributed_is_left_out_when_it_does_not_fit() {
        let store = store();
        let line = |n: u64| api::status::NodeLine { node: "n".to_owned(), line: n.to_string() };
        let small = Outcome { output: vec![line(1)], ..Outcome::default() };
        let names = noise(PART * PARTS * 2);
        let nodes = [(names, report::Snapshot::default())].into();
        let large = Outcome { nodes, ..small.clone() };
        assert_eq!(
            store.save(&job(), Document::Outcome(Box::new(large))).await.expect("stored"),
            StoreOutcome::WithoutNodes
        );
        assert_eq!(store.load(&job()).await.expect("an answer"), Some(Document::Outcome(Box::new(small))));
    }

    #[tokio::test]
    async fn what_does_not_fit_at_all_is_an_error() {
        let saved = store().save(&job(), checkpoint(noise(PART * PARTS * 2))).await;
        assert!(matches!(saved, Err(StoreError::TooLarge { .. })), "{saved:?}");
    }
}
