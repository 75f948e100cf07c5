//! `bpfleet agent`: this node's part in a fleet.

use std::path::PathBuf;
use std::process::ExitCode;

use agent::fleet::{self, FleetOptions};

use super::service;

/// Take part in a fleet: run what the operator assigns to this node
#[derive(clap::Args)]
pub struct Args {
    /// The operator: https://HOST:PORT
    #[arg(long, value_name = "URL")]
    operator: String,
    /// This node's name
    #[arg(long, env = "NODE_NAME")]
    node: String,
    /// The file with this agent's token; read anew for each connection
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// The file with the certificate, in PEM, that the operator's must be signed by
    #[arg(long, value_name = "FILE")]
    ca_file: PathBuf,
    /// Most scripts at a time; further ones are refused
    #[arg(long, default_value_t = fleet::MAX_SESSIONS)]
    max_sessions: usize,
}

/// Runs until it is asked to end.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    service::log("info");
    for missing in agent::preflight::missing() {
        tracing::error!("{missing}; {}", missing.remedy());
    }
    let Args { operator, node, token_file, ca_file, max_sessions } = args;
    let options = FleetOptions { operator, node, token_file, ca_file, max_sessions };
    service::runtime()?
        .block_on(async { fleet::run(options, service::shutdown()?).await.map_err(anyhow::Error::from) })?;
    Ok(ExitCode::SUCCESS)
}
