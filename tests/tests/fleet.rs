//! An operator and agents in this process, over real HTTP/2 and TLS on loopback, tracing this machine's kernel: the way of
//! a job without an API server.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent::fleet::{FleetOptions, MAX_SESSIONS};
use api::reason::FailureReason;
use api::status::{Phase, TraceJobStatus};
use operator::index::Settings;
use operator::index::document::Outcome;
use operator::{FolderOptions, NodeToken, Operator, OperatorOptions, Source};
use report::{Cell, Key, Snapshot};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const NODES: [&str; 3] = ["node-a", "node-b", "node-c"];
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with manifests for an operator, and files for agents.
struct Folder {
    folder: TempDir,
}

impl Folder {
    fn new(jobs: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let manifests = folder.path().join("manifests");
        std::fs::create_dir(&manifests).expect("a folder");
        let node = |name: &&str| format!("kind: Node\napiVersion: v1\nmetadata: {{ name: {name} }}\n---\n");
        let text = NODES.iter().map(node).collect::<String>() + jobs;
        std::fs::write(manifests.join("fleet.yaml"), text).expect("a file");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn operator(&self, port: u16) -> Operator {
        let options = OperatorOptions {
            listen: ([127, 0, 0, 1], port).into(),
            public: ([127, 0, 0, 1], 0).into(),
            names: vec!["127.0.0.1".to_owned()],
            settings: Settings {
                settle: Duration::from_secs(5),
                lost_after: Duration::from_secs(3),
                status_interval: Duration::from_millis(200),
                report_interval: Duration::from_millis(200),
                store_interval: Duration::from_millis(200),
                ..Settings::default()
            },
            source: Source::Folder(FolderOptions {
                manifests: self.path("manifests"),
                state: self.path("state"),
                tokens: NODES.map(|node| NodeToken { node: node.to_owned(), token: token_of(node) }).into(),
            }),
        };
        // The port of an operator that has just ended may still be busy for a moment.
        for _ in 0..50 {
            match Operator::start(options.clone()).await {
                Ok(operator) => return operator,
                Err(error) => eprintln!("{error}"),
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("no operator");
    }

    fn agent(&self, operator: &Operator, node: &str, token: &str) -> Agent {
        let token_file = self.path(&format!("{node}.token"));
        std::fs::write(&token_file, token).expect("a file");
        let options = FleetOptions {
            operator: format!("https://{}", operator.agents),
            node: node.to_owned(),
            token_file,
            ca_file: self.path("state").join("ca.crt"),
            max_sessions: MAX_SESSIONS,
        };
        let (end, ended) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = ended.await;
        };
        let running = tokio::spawn(async { agent::fleet::run(options, shutdown).await.expect("an agent") });
        Agent { end, running }
    }
}

/// An agent in this process.
struct Agent {
    end: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Agent {
    async fn end(self) {
        let _ = self.end.send(());
        self.running.await.expect("a quiet end");
    }
}

fn token_of(node: &str) -> String {
    format!("the token of {node}")
}

fn job(name: &str, duration: &str, script: &str) -> String {
    let spec = serde_json::json!({ "duration": duration, "script": script });
    format!("apiVersion: bpfleet.dev/v1alpha1\nkind: TraceJob\nmetadata: {{ name: {name} }}\nspec: {spec}\n---\n")
}

/// Counts what only this thread does: reads of so many bytes from /dev/zero.
fn script(bytes: usize) -> String {
    let tid = Path::new("/proc/thread-self").read_link().expect("a thread");
    let tid = tid.file_name().and_then(|name| name.to_str()).expect("a number").to_owned();
    format!(
        "tracepoint:syscalls:sys_exit_read /tid == {tid} && args.ret == {bytes}/ {{ @n = count(); @b = hist(args.ret); }}"
    )
}

fn read(bytes: usize, times: usize) {
    use std::io::Read;
    let mut zero = std::fs::File::open("/dev/zero").expect("/dev/zero");
    let mut buffer = vec![0; bytes];
    (0..times).for_each(|_| zero.read_exact(&mut buffer).expect("zeros"));
}

async fn wait_for(
    operator: &Operator,
    name: &str,
    what: &str,
    holds: impl Fn(&TraceJobStatus) -> bool,
) -> TraceJobStatus {
    let look = async {
        loop {
            let status = operator.statuses().into_iter().find(|(job, _)| job.name == name).map(|(_, status)| status);
            match status {
                Some(status) if holds(&status) => return status,
                _ => sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let found = timeout(PATIENCE, look).await;
    found.unwrap_or_else(|_| panic!("{name} is not {what}: {:?}", operator.statuses()))
}

async fn results(operator: &Operator, name: &str) -> Arc<Outcome> {
    operator.results("default", name).await.expect("a result")
}

fn count(snapshot: &Snapshot) -> Option<u64> {
    match snapshot.maps.get("@n")?.rows.get(&Key::default())? {
        Cell::Count(n) => Some(*n),
        _ => None,
    }
}

/// Whether this machine can be traced; says why not.
fn can_trace() -> bool {
    let missing = agent::preflight::missing();
    for missing in &missing {
        println!("SKIP: {missing}; {}", missing.remedy());
    }
    missing.is_empty()
}

#[tokio::test]
async fn agents_count_and_the_operator_adds_up() {
    if !can_trace() {
        return;
    }
    let folder = Folder::new(&job("reads", "5s", &script(7)));
    let operator = folder.operator(0).await;
    let agents = NODES.map(|node| folder.agent(&operator, node, &token_of(node)));
    wait_for(&operator, "reads", "running on all nodes", |status| status.nodes.running == 3).await;
    read(7, 123);
    read(9, 50);
    let status = wait_for(&operator, "reads", "over", |status| status.phase.is_final()).await;
    assert_eq!((status.phase, status.nodes.succeeded, status.failures.len()), (Phase::Succeeded, 3, 0));
    let outcome = results(&operator, "reads").await;
    assert_eq!(count(&outcome.merged.total), Some(369));
    assert_eq!(outcome.nodes.values().map(count).collect::<Vec<_>>(), [Some(123); 3]);
    let text = status.results.map(|results| results.text).unwrap_or_default();
    assert!(text.contains("[4, 8)               369 |@@"), "{text}");
    for agent in agents {
        agent.end().await;
    }
}

#[tokio::test]
async fn an_operator_that_restarts_loses_nothing_and_moves_no_end() {
    if !can_trace() {
        return;
    }
    let folder = Folder::new(&job("reads", "12s", &script(7)));
    let operator = folder.operator(0).await;
    let port = operator.agents.port();
    let agents = NODES.map(|node| folder.agent(&operator, node, &token_of(node)));
    let status = wait_for(&operator, "reads", "running on all nodes", |status| status.nodes.running == 3).await;
    read(7, 10);
    sleep(Duration::from_secs(1)).await;
    drop(operator);
    read(7, 100);
    sleep(Duration::from_secs(1)).await;
    let operator = folder.operator(port).await;
    read(7, 1000);
    let ended = wait_for(&operator, "reads", "over", |status| status.phase.is_final()).await;
    assert_eq!(ended.expires_at, status.expires_at);
    assert_eq!((ended.phase, ended.nodes.succeeded, ended.failures.len()), (Phase::Succeeded, 3, 0), "{ended:?}");
    let outcome = results(&operator, "reads").await;
    assert_eq!(outcome.nodes.values().map(count).collect::<Vec<_>>(), [Some(1110); 3]);
    for agent in agents {
        agent.end().await;
    }
}

#[tokio::test]
async fn an_agent_that_ends_early_leaves_what_it_counted() {
    if !can_trace() {
        return;
    }
    let folder = Folder::new(&job("reads", "8s", &script(7)));
    let operator = folder.operator(0).await;
    let [first, second, third] = NODES.map(|node| folder.agent(&operator, node, &token_of(node)));
    wait_for(&operator, "reads", "running on all nodes", |status| status.nodes.running == 3).await;
    read(7, 5);
    second.end().await;
    read(7, 20);
    let status = wait_for(&operator, "reads", "over", |status| status.phase.is_final()).await;
    assert_eq!((status.phase, status.nodes.succeeded, status.nodes.lost), (Phase::Succeeded, 2, 1));
    let failures: Vec<_> = status.failures.iter().map(|failure| (failure.node.as_str(), failure.reason)).collect();
    assert_eq!(failures, [("node-b", FailureReason::NodeLost)]);
    let outcome = results(&operator, "reads").await;
    assert_eq!(outcome.nodes.values().map(count).collect::<Vec<_>>(), [Some(25), Some(5), Some(25)]);
    first.end().await;
    third.end().await;
}

#[tokio::test]
async fn an_agent_speaks_for_its_own_node_alone() {
    let folder = Folder::new(&job("reads", "2s", "BEGIN { exit(); }"));
    let operator = folder.operator(0).await;
    let liar = folder.agent(&operator, "node-a", &token_of("node-b"));
    let stranger = folder.agent(&operator, "node-c", "no token of anybody");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(operator.connected_agents(), 0);
    let honest = folder.agent(&operator, "node-b", &token_of("node-b"));
    timeout(PATIENCE, async {
        while operator.connected_agents() == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the honest one connects");
    assert_eq!(operator.connected_agents(), 1);
    for agent in [liar, stranger, honest] {
        agent.end().await;
    }
}
