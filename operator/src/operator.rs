//! Puts the parts together: listeners, source and writer around one hub, and the clock's ticks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::status::TraceJobStatus;
use kube::Client;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::auth::{FixedTokens, TokenReviews, TokenVerifier};
use crate::folder;
use crate::folder::source::Folder;
use crate::http::tls::{Authority, TlsError};
use crate::http::{agents, public, serve};
use crate::hub::Hub;
use crate::index::document::{Document, Outcome};
use crate::index::{Effect, Event, JobRef};
use crate::kubernetes::authority::AuthorityError;
use crate::kubernetes::writer::Writer;
use crate::kubernetes::{authority, source};
use crate::metrics::Exposition;
use crate::options::{FolderOptions, Installation, OperatorOptions, Source};
use crate::store::{ConfigMaps, Files, Store};

/// Why an operator cannot run.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// A port cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// No certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No authority on the cluster.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// No authority in the folder.
    #[error(transparent)]
    Folder(#[from] folder::authority::KeptError),
    /// No API server.
    #[error("no API server: {0}")]
    Kube(String),
    /// The Lease was lost to another operator.
    #[error("another operator took over")]
    Deposed,
    /// A part ended that should not.
    #[error("a part of the operator ended: {0}")]
    Ended(String),
}

/// A running operator. It ends when it is dropped.
pub struct Operator {
    /// Where agents dial.
    pub agents: SocketAddr,
    /// Where metrics, health and results are.
    pub public: SocketAddr,
    /// The certificate, as PEM, that agents must trust.
    pub ca_pem: String,
    hub: Arc<Hub>,
    store: Arc<Store>,
    parts: JoinSet<()>,
}

/// What differs between a cluster and a folder.
struct Surroundings {
    hub: Arc<Hub>,
    store: Arc<Store>,
    authority: Authority,
    tokens: TokenVerifier,
}

impl Operator {
    /// Starts one: when this returns, agents can dial.
    pub async fn start(options: OperatorOptions) -> Result<Self, OperatorError> {
        let (hub, effects) = Hub::new(options.settings.clone());
        let hub = Arc::new(hub);
        let mut parts = JoinSet::new();
        let surroundings = match options.source {
            Source::Kubernetes(installation) => on_a_cluster(installation, hub, effects, &mut parts).await?,
            Source::Folder(folder) => in_a_folder(folder, hub, effects, &mut parts)?,
        };
        let Surroundings { hub, store, authority, tokens } = surroundings;
        let (agents_listener, agents_address) = listen(options.listen).await?;
        let (public_listener, public_address) = listen(options.public).await?;
        let router = agents::router(agents::Agents { hub: hub.clone(), tokens: Arc::new(tokens) });
        parts.spawn(serve::serve(agents_listener, Some(authority.server(&options.names)?), router));
        let exposition = Arc::new(Exposition::default());
        let router = public::router(public::Public { hub: hub.clone(), store: store.clone(), exposition });
        parts.spawn(serve::serve(public_listener, None, router));
        parts.spawn(tick(hub.clone(), options.settings.status_interval));
        tracing::info!(agents = %agents_address, public = %public_address, "the operator listens");
        let ca_pem = authority.certificate_pem().to_owned();
        Ok(Self { agents: agents_address, public: public_address, ca_pem, hub, store, parts })
    }

    /// Every job with its status as of now.
    pub fn statuses(&self) -> Vec<(JobRef, TraceJobStatus)> {
        self.hub.ask(|index, now| index.statuses(now))
    }

    /// The full result of a job as of now, or as it was stored.
    pub async fn results(&self, namespace: &str, name: &str) -> Option<Arc<Outcome>> {
        let view = self.hub.ask(|index, now| index.view(namespace, name, now))?;
        if view.outcome.is_some() {
            return view.outcome;
        }
        match self.store.load(&view.job).await {
            Ok(Some(Document::Outcome(outcome))) => Some(Arc::from(outcome)),
            _ => None,
        }
    }

    /// How many agents are connected.
    pub fn connected_agents(&self) -> usize {
        self.hub.ask(|index, _| index.connected_agents())
    }

    /// Waits for a part to end, which none should.
    pub async fn ended(&mut self) -> OperatorError {
        match self.parts.join_next().await {
            Some(Err(error)) => OperatorError::Ended(error.to_string()),
            Some(Ok(())) | None => OperatorError::Ended("without a word".to_owned()),
        }
    }
}

/// Answers probes while another operator works.
pub async fn stand_by(address: SocketAddr) -> OperatorError {
    match listen(address).await {
        Err(error) => error,
        Ok((listener, _)) => {
            serve::serve(listener, None, public::standing_by()).await;
            OperatorError::Ended("standing by".to_owned())
        }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), OperatorError> {
    let failed = |error| OperatorError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn on_a_cluster(
    installation: Installation,
    hub: Arc<Hub>,
    effects: UnboundedReceiver<Effect>,
    parts: &mut JoinSet<()>,
) -> Result<Surroundings, OperatorError> {
    let Installation { namespace, agents, instance, .. } = installation;
    let client = Client::try_default().await.map_err(|error| OperatorError::Kube(error.to_string()))?;
    let authority = authority::ensure(&client, &namespace).await?;
    let store = Arc::new(Store::ConfigMaps(ConfigMaps::new(client.clone())));
    let writer = Writer::new(client.clone(), hub.clone(), store.clone(), instance);
    parts.spawn(writer.run(effects));
    parts.spawn(source::watch(client.clone(), hub.clone(), store.clone()));
    let tokens = TokenVerifier::Review(TokenReviews::new(client, namespace, agents));
    Ok(Surroundings { hub, store, authority, tokens })
}

fn in_a_folder(
    options: FolderOptions,
    hub: Arc<Hub>,
    effects: UnboundedReceiver<Effect>,
    parts: &mut JoinSet<()>,
) -> Result<Surroundings, OperatorError> {
    let authority = folder::authority::ensure(&options.state)?;
    let files = Files::new(options.state);
    let mut tokens = FixedTokens::default();
    options.tokens.iter().for_each(|token| tokens.insert(&token.token, &token.node));
    parts.spawn(folder::writer::run(files.clone(), hub.clone(), effects));
    parts.spawn(Folder::new(options.manifests, files.clone(), hub.clone()).watch());
    let store = Arc::new(Store::Files(files));
    Ok(Surroundings { hub, store, authority, tokens: TokenVerifier::Fixed(tokens) })
}

/// Lets the index notice that time passes.
async fn tick(hub: Arc<Hub>, status_interval: Duration) {
    let mut ticks = interval((status_interval / 2).clamp(Duration::from_millis(50), Duration::from_secs(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        hub.apply(Event::Tick);
    }
}
