//! Which of several operators works: the one that holds the Lease.

use std::future::pending;
use std::time::Duration;

use kube::Client;
use kube_lease_manager::{LeaseManager, LeaseManagerBuilder, LeaseManagerError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::options::Installation;
use crate::{FIELD_MANAGER, OperatorError};

/// The Lease's name.
const NAME: &str = "bpfleet-operator";
/// How long a silent holder keeps it, in seconds.
const DURATION: u64 = 15;
/// How long before that it is renewed, in seconds.
const GRACE: u64 = 5;
/// How long giving it back may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// The Lease, held.
pub struct Held {
    holding: watch::Receiver<bool>,
    keeper: JoinHandle<Result<LeaseManager, LeaseManagerError>>,
}

/// Waits until the Lease is ours.
pub async fn acquire(installation: &Installation) -> Result<Held, OperatorError> {
    let failed = |error: &dyn std::fmt::Display| OperatorError::Kube(error.to_string());
    let client = Client::try_default().await.map_err(|error| failed(&error))?;
    let manager = LeaseManagerBuilder::new(client, NAME)
        .with_namespace(&installation.namespace)
        .with_identity(&installation.instance)
        .with_field_manager(format!("{FIELD_MANAGER}-{}", installation.instance))
        .with_duration(DURATION)
        .with_grace(GRACE)
        .build()
        .await
        .map_err(|error| failed(&error))?;
    let (mut holding, keeper) = manager.watch().await;
    tracing::info!(lease = NAME, "waiting to be elected");
    holding.wait_for(|holds| *holds).await.map_err(|error| failed(&error))?;
    tracing::info!(lease = NAME, "elected");
    Ok(Held { holding, keeper })
}

impl Held {
    /// Waits until the Lease is lost.
    pub async fn lost(&mut self) {
        if self.holding.wait_for(|holds| !holds).await.is_err() {
            tracing::warn!(lease = NAME, "nobody keeps it any more");
        }
    }

    /// Gives it back, so that another need not wait for its end.
    pub async fn give_back(self) {
        drop(self.holding);
        if timeout(FAREWELL, self.keeper).await.is_err() {
            tracing::warn!(lease = NAME, "it could not be given back");
        }
    }
}

/// Waits until `held` is lost; for ever without one.
pub async fn lost(held: &mut Option<Held>) {
    match held {
        Some(held) => held.lost().await,
        None => pending().await,
    }
}
