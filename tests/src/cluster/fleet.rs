//! bpfleet itself on a test cluster: the chart is installed for its definition, accounts and roles, and since nothing
//! schedules pods there, operator and agents are processes of this machine with the accounts and tokens that their pods
//! would have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{Answer, Attached, Cluster, Helm, Process, eventually, http, port};
use crate::binary;

/// Where operator and agents belong.
pub const NAMESPACE: &str = "bpfleet-system";
/// Where the tests' TraceJobs are.
pub const JOBS: &str = "default";
/// The nodes with an agent. Each has a label `zone` with its last letter.
pub const NODES: [&str; 3] = ["node-a", "node-b", "node-c"];

const AUDIENCE: &str = "bpfleet-operator";
const START: Duration = Duration::from_secs(60);

/// A cluster with an operator and three agents, all of them processes that end with this handle.
#[derive(Debug)]
pub struct Fleet {
    // Fields are dropped in this order: agents before the operator before the API server.
    agents: BTreeMap<String, Process>,
    operator: Option<Process>,
    binary: PathBuf,
    kubeconfig: PathBuf,
    port: u16,
    public_port: u16,
    starts: u32,
    cluster: Cluster,
}

impl Fleet {
    /// Starts everything and waits until the operator knows its three agents; `None` where that cannot be done and
    /// skipping is allowed.
    ///
    /// # Panics
    /// When something does not come up.
    pub fn start_or_skip() -> Option<Fleet> {
        if Answer::of(Command::new("id").arg("-u")).expect().trim() != "0" {
            super::programs::skip("loading programs into the kernel needs root");
            return None;
        }
        let binary = binary::bpfleet();
        let cluster = Cluster::start_or_skip()?;
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/bpfleet");
        Helm::new(cluster.programs()).install(&cluster, "bpfleet", &chart, NAMESPACE, &[]).expect();
        for node in NODES {
            cluster.create_node(node, &[("zone", &node[node.len() - 1..])]);
            cluster.create_pod(NAMESPACE, &pod_of(node), "bpfleet-agent", node);
        }
        let kubeconfig = cluster.service_account_kubeconfig(NAMESPACE, "bpfleet-operator");
        let mut fleet = Fleet {
            agents: BTreeMap::new(),
            operator: None,
            binary,
            kubeconfig,
            port: port::free(),
            public_port: port::free(),
            starts: 0,
            cluster,
        };
        fleet.start_operator();
        fleet.write_authority();
        for node in NODES {
            let token = fleet.cluster.token(NAMESPACE, "bpfleet-agent", Some(&pod_of(node)), AUDIENCE);
            fleet.start_agent(node, &token);
        }
        eventually("three agents", START, || {
            let connected = fleet.connected_agents();
            if connected == Some(NODES.len() as f64) { Ok(()) } else { Err(connected) }
        });
        Some(fleet)
    }

    /// The cluster below.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The binary as a command, in the cluster's folder.
    pub fn bpfleet(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).current_dir(self.cluster.folder());
        command
    }

    /// Starts the operator with the permissions of its ServiceAccount, at the addresses that it had before, and waits
    /// until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn start_operator(&mut self) {
        self.starts += 1;
        let mut command = self.bpfleet(&["operator", "--elect", "--tls-name=127.0.0.1", "--instance=operator-0"]);
        command
            .arg(format!("--namespace={NAMESPACE}"))
            .arg(format!("--listen=127.0.0.1:{}", self.port))
            .arg(format!("--metrics={}", self.public_address()))
            .env("KUBECONFIG", &self.kubeconfig)
            .env_remove("RUST_LOG");
        let address = self.public_address();
        let mut operator = Process::spawn(&format!("operator-{}", self.starts), &command, self.cluster.folder());
        operator.wait_until(START, || http::get(&address, "/readyz").is_ok());
        self.operator = Some(operator);
    }

    /// Kills the operator without warning. What it had logged.
    pub fn kill_operator(&mut self) -> String {
        let operator = self.operator.take();
        operator.map(|mut operator| (operator.kill(), operator.output()).1).unwrap_or_default()
    }

    /// What the running operator has logged.
    pub fn operator_log(&self) -> String {
        self.operator.as_ref().map(Process::output).unwrap_or_default()
    }

    /// Kills an agent without warning.
    ///
    /// # Panics
    /// When the node has none.
    pub fn kill_agent(&mut self, node: &str) {
        self.agents.remove(node).expect("an agent").kill();
    }

    /// Starts an agent that says it is on `node` and bears `token`.
    pub fn start_agent(&mut self, node: &str, token: &str) {
        let file = self.cluster.folder().join(format!("{node}.token"));
        std::fs::write(&file, token).expect("a writable folder");
        let mut command = self.bpfleet(&["agent", "--node", node]);
        command
            .arg(format!("--operator=https://127.0.0.1:{}", self.port))
            .arg(format!("--token-file={}", file.display()))
            .arg(format!("--ca-file={}", self.authority().display()))
            .env_remove("RUST_LOG");
        let agent = Process::spawn(&format!("agent-{node}"), &command, self.cluster.folder());
        self.agents.insert(node.to_owned(), agent);
    }

    /// What an agent has logged.
    pub fn agent_log(&self, node: &str) -> String {
        self.agents.get(node).map(Process::output).unwrap_or_default()
    }

    /// What the agents hold in the kernel, by node.
    pub fn attached(&self) -> BTreeMap<&str, Attached> {
        self.agents.iter().map(|(node, agent)| (node.as_str(), Attached::of(agent.id()))).collect()
    }

    /// Waits until no agent holds anything in the kernel.
    ///
    /// # Panics
    /// When one still does after `limit`, with what it is.
    #[track_caller]
    pub fn wait_until_detached(&self, limit: Duration) {
        eventually("nothing attached", limit, || match self.attached() {
            attached if attached.values().all(Attached::is_empty) => Ok(()),
            attached => Err(attached),
        });
    }

    /// `host:port` of metrics, health and results.
    pub fn public_address(&self) -> String {
        format!("127.0.0.1:{}", self.public_port)
    }

    /// The operator's metrics; empty while it does not answer.
    pub fn metrics(&self) -> String {
        http::get(&self.public_address(), "/metrics").unwrap_or_default()
    }

    /// How many agents the operator says are connected, if it answers.
    pub fn connected_agents(&self) -> Option<f64> {
        let metrics = self.metrics();
        let line = metrics.lines().find(|line| line.starts_with("bpfleet_agents{"))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// A job's full result from the operator, in one of its formats.
    ///
    /// # Errors
    /// What the operator answers instead.
    pub fn results(&self, job: &str, format: &str) -> Result<String, String> {
        let path = format!("/v1/namespaces/{JOBS}/tracejobs/{job}/results?format={format}");
        http::get(&self.public_address(), &path)
    }

    /// Creates a TraceJob from its name and spec.
    #[track_caller]
    pub fn trace(&self, name: &str, spec: &Value) {
        let job = serde_json::json!({
            "apiVersion": "bpfleet.dev/v1alpha1", "kind": "TraceJob",
            "metadata": { "name": name, "namespace": JOBS }, "spec": spec,
        });
        self.cluster.apply(&job.to_string());
    }

    /// The status that the API server has of a job; null while there is none.
    #[track_caller]
    pub fn status(&self, job: &str) -> Value {
        self.cluster.get(JOBS, "tracejob", job).expect("the job")["status"].take()
    }

    /// Waits until so many nodes trace for a job, as the operator knows it.
    ///
    /// # Panics
    /// When that takes too long, with what the operator knows.
    #[track_caller]
    pub fn wait_until_running(&self, job: &str, nodes: u64) {
        eventually("running nodes", START, || {
            let jobs = http::get(&self.public_address(), "/v1/tracejobs")?;
            let jobs: Vec<Value> = serde_json::from_str(&jobs).map_err(|error| error.to_string())?;
            let known = jobs.iter().find(|known| known["name"] == job).ok_or("not known yet")?;
            if known["status"]["nodes"]["running"] == nodes { Ok(()) } else { Err(known.to_string()) }
        });
    }

    /// Waits until a job is over as the API server knows it, and returns its status.
    ///
    /// # Panics
    /// When it is not after `limit`.
    #[track_caller]
    pub fn wait_until_over(&self, job: &str, limit: Duration) -> Value {
        eventually("the end of the job", limit, || match self.status(job) {
            status if ["Succeeded", "Failed", "Cancelled"].iter().any(|phase| status["phase"] == *phase) => Ok(status),
            status => Err(status.to_string()),
        })
    }

    /// Writes the certificate that agents trust: what their pods mount.
    fn write_authority(&self) {
        let authority = self.cluster.get(NAMESPACE, "configmap", "bpfleet-ca").expect("the authority");
        let certificate = authority["data"]["ca.crt"].as_str().expect("a certificate");
        std::fs::write(self.authority(), certificate).expect("a writable folder");
    }

    fn authority(&self) -> PathBuf {
        self.cluster.folder().join("bpfleet-ca.crt")
    }
}

/// A test that fails shows what everybody logged, since the files go with the cluster.
impl Drop for Fleet {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        println!("--- operator\n{}", self.operator_log());
        for (node, agent) in &self.agents {
            println!("--- {node}\n{}", agent.output());
        }
    }
}

/// The pod that would be the node's agent.
pub fn pod_of(node: &str) -> String {
    format!("bpfleet-agent-{node}")
}

/// A condition of a status, null when it is not there.
pub fn condition(status: &Value, kind: &str) -> Value {
    let mut conditions = status["conditions"].as_array().into_iter().flatten();
    conditions.find(|condition| condition["type"] == kind).cloned().unwrap_or_default()
}

/// A map of a status' results, null when it is not there.
pub fn map(status: &Value, name: &str) -> Value {
    let mut maps = status["results"]["maps"].as_array().into_iter().flatten();
    maps.find(|map| map["name"] == name).cloned().unwrap_or_default()
}
