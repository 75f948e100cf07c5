//! The demo's fleet: a folder of manifests, an operator that reads it, and agents in this process.

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent::fleet::{FleetOptions, MAX_SESSIONS};
use anyhow::Context;
use operator::index::Settings;
use operator::{FolderOptions, NodeToken, Operator, OperatorOptions, Source};
use tokio::task::JoinSet;

/// The nodes and their zones.
pub const NODES: [(&str, &str); 3] = [("node-a", "zone-1"), ("node-b", "zone-1"), ("node-c", "zone-2")];
/// The jobs: examples as they are.
pub const JOBS: [(&str, &str); 2] = [
    ("syscalls-by-comm", include_str!("../../../../examples/syscalls-by-comm.yaml")),
    ("read-sizes", include_str!("../../../../examples/read-sizes.yaml")),
];
/// Where manifests without a namespace are.
pub const NAMESPACE: &str = "default";

/// A running fleet. Dropping it ends the sessions, the agents and the operator, and removes the folder.
pub struct Fleet {
    /// The operator.
    pub operator: Operator,
    _agents: JoinSet<()>,
    _folder: Folder,
}

impl Fleet {
    /// Writes the manifests and starts everything on loopback.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = Folder::create()?;
        let manifests = folder.0.join("manifests");
        std::fs::create_dir(&manifests)?;
        std::fs::write(manifests.join("nodes.yaml"), nodes())?;
        for (name, manifest) in JOBS {
            std::fs::write(manifests.join(format!("{name}.yaml")), manifest)?;
        }
        let tokens: Vec<NodeToken> = NODES
            .iter()
            .map(|(node, _)| Ok(NodeToken { node: (*node).to_owned(), token: random_token()? }))
            .collect::<std::io::Result<_>>()?;
        let options = OperatorOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            public: ([127, 0, 0, 1], 0).into(),
            names: vec!["127.0.0.1".to_owned()],
            settings: eager(),
            source: Source::Folder(FolderOptions { manifests, state: folder.0.join("state"), tokens: tokens.clone() }),
        };
        let operator = Operator::start(options).await?;
        let ca_file = folder.write("ca.crt", &operator.ca_pem)?;
        let mut agents = JoinSet::new();
        for NodeToken { node, token } in tokens {
            let options = FleetOptions {
                operator: format!("https://{}", operator.agents),
                token_file: folder.write(&format!("{node}.token"), &token)?,
                ca_file: ca_file.clone(),
                max_sessions: MAX_SESSIONS,
                node,
            };
            agents.spawn(async move {
                if let Err(error) = agent::fleet::run(options, std::future::pending()).await {
                    tracing::error!(%error, "an agent ended");
                }
            });
        }
        Ok(Self { operator, _agents: agents, _folder: folder })
    }
}

/// Somebody is watching, and everything is a millisecond away.
fn eager() -> Settings {
    Settings {
        settle: Duration::from_secs(2),
        status_interval: Duration::from_millis(500),
        report_interval: Duration::from_millis(500),
        ..Settings::default()
    }
}

fn nodes() -> String {
    NODES.iter().fold(String::new(), |mut text, (node, zone)| {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: {node}\n  labels:\n    topology.kubernetes.io/zone: {zone}\n"
        );
        text
    })
}

/// 256 random bits in hexadecimal.
fn random_token() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A folder of this process, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("bpfleet-demo-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.0.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", Path::new(name).display()))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It lies among other temporary files; what cannot be removed does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
