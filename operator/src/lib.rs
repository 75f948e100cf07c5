//! The operator: takes TraceJobs, tells agents what to trace, adds up what they report, and writes it where people look.
//!
//! The middle is pure: [`index`] decides, [`plan`] chooses nodes, [`summary`] makes results small. Around it are the
//! sources of jobs and nodes ([`kubernetes`], [`folder`]), the server for agents ([`http`], [`auth`]), the places where
//! results are kept ([`store`]) and [`metrics`]. The compiler and the merge laws are elsewhere (`lang`, `report`).
//!
//! Entry points: [`Operator::start`] for one in this process, [`run`] for one that is the process.

pub mod auth;
pub mod folder;
pub mod http;
pub mod hub;
pub mod index;
pub mod kubernetes;
mod lease;
pub mod metrics;
mod operator;
mod options;
pub mod plan;
pub mod store;
pub mod summary;

pub use operator::{Operator, OperatorError};
pub use options::{FolderOptions, Installation, NodeToken, OperatorOptions, Source};

/// What the operator calls itself where objects name their writer.
pub const FIELD_MANAGER: &str = "bpfleet-operator";

/// Runs an operator until `shutdown` is ready or it cannot go on. On a cluster it waits for the Lease first, if told so;
/// meanwhile it is alive but not ready.
pub async fn run(options: OperatorOptions, shutdown: impl Future<Output = ()>) -> Result<(), OperatorError> {
    tokio::pin!(shutdown);
    let mut held = None;
    if let Source::Kubernetes(installation) = &options.source
        && installation.elect
    {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            acquired = lease::acquire(installation) => held = Some(acquired?),
            error = operator::stand_by(options.public) => return Err(error),
        }
    }
    let mut operator = Operator::start(options).await?;
    let ended = tokio::select! {
        () = &mut shutdown => Ok(()),
        error = operator.ended() => Err(error),
        () = lease::lost(&mut held) => Err(OperatorError::Deposed),
    };
    drop(operator);
    if let Some(held) = held {
        held.give_back().await;
    }
    ended
}
