//! From YAML text to the objects a fleet is made of. Pure.

use std::collections::BTreeMap;

use api::TraceJob;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The namespace of what names none.
const NAMESPACE: &str = "default";

/// Namespace and name.
pub type Named = (String, String);

/// What manifests describe.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objects {
    /// Jobs by namespace and name.
    pub jobs: BTreeMap<Named, TraceJob>,
    /// Labels of nodes by name.
    pub nodes: BTreeMap<String, BTreeMap<String, String>>,
    /// Data of ConfigMaps by namespace and name.
    pub config_maps: BTreeMap<Named, BTreeMap<String, String>>,
}

/// What is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is no YAML.
    #[error("not YAML: {0}")]
    Yaml(String),
    /// A document is not what its kind says.
    #[error("{kind}: {why}")]
    Object {
        /// Its kind.
        kind: String,
        /// What is wrong.
        why: String,
    },
    /// A document of another kind.
    #[error("a {0} means nothing here; TraceJob, Node and ConfigMap do")]
    Kind(String),
    /// An object without a name.
    #[error("a {0} has no metadata.name")]
    Nameless(&'static str),
}

impl Objects {
    /// Adds every document of a file; an object that was there before gives way.
    pub fn read(&mut self, text: &str) -> Result<(), ManifestError> {
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(text).map_err(|error| ManifestError::Yaml(error.to_string()))?;
        documents.into_iter().filter(|document| !document.is_null()).try_for_each(|document| self.add(document))
    }

    fn add(&mut self, document: Value) -> Result<(), ManifestError> {
        let kind = document.get("kind").and_then(Value::as_str).unwrap_or("document without kind").to_owned();
        match kind.as_str() {
            "TraceJob" => {
                let job: TraceJob = object(&kind, document)?;
                let name = job.metadata.name.clone().ok_or(ManifestError::Nameless("TraceJob"))?;
                let namespace = job.metadata.namespace.clone();
                self.jobs.insert((namespace.unwrap_or_else(|| NAMESPACE.to_owned()), name), job);
            }
            "Node" => {
                let node: Node = object(&kind, document)?;
                let name = node.metadata.name.ok_or(ManifestError::Nameless("Node"))?;
                self.nodes.insert(name, node.metadata.labels.unwrap_or_default());
            }
            "ConfigMap" => {
                let config_map: ConfigMap = object(&kind, document)?;
                let name = config_map.metadata.name.ok_or(ManifestError::Nameless("ConfigMap"))?;
                let namespace = config_map.metadata.namespace.unwrap_or_else(|| NAMESPACE.to_owned());
                self.config_maps.insert((namespace, name), config_map.data.unwrap_or_default());
            }
            _ => return Err(ManifestError::Kind(kind)),
        }
        Ok(())
    }

    /// The script of a job, or why it has none.
    pub fn script(&self, (namespace, _): &Named, job: &TraceJob) -> Result<String, String> {
        if let Some(script) = &job.spec.script {
            return Ok(script.clone());
        }
        let Some(source) = &job.spec.script_from else { return Err("the job has no script".to_owned()) };
        let wanted = &source.config_map_key_ref;
        let data = self.config_maps.get(&(namespace.clone(), wanted.name.clone()));
        let data = data.ok_or_else(|| format!("there is no ConfigMap {} in namespace {namespace}", wanted.name))?;
        data.get(&wanted.key).cloned().ok_or_else(|| format!("ConfigMap {} has no key {}", wanted.name, wanted.key))
    }
}

fn object<T: DeserializeOwned>(kind: &str, document: Value) -> Result<T, ManifestError> {
    serde_json::from_value(document)
        .map_err(|error| ManifestError::Object { kind: kind.to_owned(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLEET: &str = "\
apiVersion: v1
kind: Node
metadata: { name: node-a, labels: { zone: \"1\" } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: scripts }
data:
  a.bt: |
    BEGIN { exit(); }
---
apiVersion: bpfleet.dev/v1alpha1
kind: TraceJob
metadata: { name: job }
spec:
  scriptFrom: { configMapKeyRef: { name: scripts, key: a.bt } }
  duration: 5s
";

    fn read(text: &str) -> Result<Objects, ManifestError> {
        let mut objects = Objects::default();
        objects.read(text)?;
        Ok(objects)
    }

    #[test]
    fn a_file_may_hold_a_whole_fleet() {
        let objects = read(FLEET).expect("a good file");
        assert_eq!(objects.nodes.get("node-a").and_then(|labels| labels.get("zone")).map(String::as_str), Some("1"));
        let (name, job) = objects.jobs.first_key_value().expect("a job");
        assert_eq!(name, &("default".to_owned(), "job".to_owned()));
        assert_eq!(objects.script(name, job), Ok("BEGIN { exit(); }\n".to_owned()));
    }

    #[test]
    fn a_missing_script_is_named() {
        let objects = read(&FLEET.replace("key: a.bt", "key: b.bt")).expect("a good file");
        let (name, job) = objects.jobs.first_key_value().expect("a job");
        assert_eq!(objects.script(name, job), Err("ConfigMap scripts has no key b.bt".to_owned()));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        assert!(matches!(read("a: [b"), Err(ManifestError::Yaml(_))));
        assert_eq!(read("kind: Pod"), Err(ManifestError::Kind("Pod".to_owned())));
        assert_eq!(read("kind: Node\nmetadata: {}"), Err(ManifestError::Nameless("Node")));
        let wrong = read("kind: TraceJob\nmetadata: { name: a }\nspec: { duration: long }");
        assert!(matches!(wrong, Err(ManifestError::Object { .. })), "{wrong:?}");
    }
}
