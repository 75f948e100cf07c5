//! `bpfleet operator`: the fleet's one answer.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use operator::index::Settings;
use operator::{FolderOptions, Installation, NodeToken, OperatorOptions, Source};

use super::service;

/// Take TraceJobs, tell agents what to trace, add up what they report
#[derive(clap::Args)]
pub struct Args {
    /// Where agents dial (TLS, HTTP/2)
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    listen: SocketAddr,
    /// Where metrics, health and results are (plain HTTP)
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:9090")]
    metrics: SocketAddr,
    /// A name or address under which agents dial, for the certificate; may be repeated
    #[arg(long = "tls-name", value_name = "NAME")]
    tls_names: Vec<String>,
    /// The namespace of operator and agents
    #[arg(long, env = "POD_NAMESPACE", default_value = "bpfleet-system")]
    namespace: String,
    /// The agents' ServiceAccount
    #[arg(long, default_value = "bpfleet-agent")]
    agents: String,
    /// What this operator calls itself in events and in its Lease
    #[arg(long, env = "POD_NAME", default_value = "bpfleet-operator")]
    instance: String,
    /// Wait for the Lease before doing anything, so that several operators may run
    #[arg(long)]
    elect: bool,
    /// A folder with TraceJobs and Nodes as YAML, instead of an API server
    #[arg(long, value_name = "FOLDER", requires = "tokens", conflicts_with = "elect")]
    manifests: Option<PathBuf>,
    /// With --manifests: a file with a line `NODE TOKEN` for each agent
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// With --manifests: where statuses and results are kept
    #[arg(long, value_name = "FOLDER", default_value = "bpfleet-state")]
    state: PathBuf,
}

/// Runs until it is asked to end.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    service::log("info");
    let options = options(args)?;
    service::runtime()?
        .block_on(async { operator::run(options, service::shutdown()?).await.map_err(anyhow::Error::from) })?;
    Ok(ExitCode::SUCCESS)
}

fn options(args: Args) -> anyhow::Result<OperatorOptions> {
    let mut names = args.tls_names;
    names.push(format!("bpfleet-operator.{}.svc", args.namespace));
    let source = match (args.manifests, args.tokens) {
        (Some(manifests), Some(tokens)) => {
            Source::Folder(FolderOptions { manifests, state: args.state, tokens: read_tokens(&tokens)? })
        }
        _ => Source::Kubernetes(Installation {
            namespace: args.namespace,
            agents: args.agents,
            instance: args.instance,
            elect: args.elect,
        }),
    };
    Ok(OperatorOptions { listen: args.listen, public: args.metrics, names, settings: Settings::default(), source })
}

fn read_tokens(path: &Path) -> anyhow::Result<Vec<NodeToken>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [node, token] => Ok(NodeToken { node: (*node).to_owned(), token: (*token).to_owned() }),
            _ => anyhow::bail!("{}:{}: expected `NODE TOKEN`", path.display(), at + 1),
        })
        .collect()
}
