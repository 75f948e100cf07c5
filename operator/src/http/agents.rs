//! The agents' side: the stream of assignments out, reports in. Every request proves for which node it speaks.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::limits::{HEARTBEAT, REPORT_BYTES};
use api::wire::{Report, StreamLine};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use futures::stream::unfold;
use report::patch::Patch;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::auth::{AuthError, TokenVerifier};
use crate::hub::Hub;
use crate::index::Event;

/// What the handlers share.
#[derive(Clone)]
pub struct Agents {
    /// The index.
    pub hub: Arc<Hub>,
    /// Knows the agents' tokens.
    pub tokens: Arc<TokenVerifier>,
}

/// The routes of [`api::wire`].
pub fn router(agents: Agents) -> Router {
    Router::new()
        .route("/v1/agents/{node}/assignments", get(assignments))
        .route("/v1/agents/{node}/reports", post(reports))
        .layer(DefaultBodyLimit::max(REPORT_BYTES))
        .layer(middleware::from_fn_with_state(agents.clone(), authenticate))
        .with_state(agents)
}

/// Lets through who bears the token of the node in the path.
async fn authenticate(State(agents): State<Agents>, request: Request, next: Next) -> Response {
    let Some(node) = request.uri().path().split('/').nth(3).map(str::to_owned) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(token) = bearer(request.headers()) else {
        return (StatusCode::UNAUTHORIZED, "a bearer token is needed\n").into_response();
    };
    match agents.tokens.node_of(token).await {
        Ok(own) if own == node => next.run(request).await,
        Ok(own) => {
            let message = format!("this token speaks for node {own}, not for {node}\n");
            (StatusCode::FORBIDDEN, message).into_response()
        }
        Err(error) => {
            let status = match error {
                AuthError::Invalid(_) => StatusCode::UNAUTHORIZED,
                AuthError::NoNode(_) => StatusCode::FORBIDDEN,
                AuthError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            };
            tracing::info!(node, %error, "an agent was turned away");
            (status, format!("{error}\n")).into_response()
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

async fn assignments(State(agents): State<Agents>, Path(node): Path<String>) -> Response {
    let lines = lines(Presence::new(agents.hub, node));
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

async fn reports(
    State(agents): State<Agents>,
    Path(node): Path<String>,
    Json(report): Json<Report<Patch>>,
) -> Response {
    if !agents.hub.ask(|index, _| index.is_synced()) {
        // An answer now would be that nobody knows the job.
        return (StatusCode::SERVICE_UNAVAILABLE, "the operator is still starting\n").into_response();
    }
    Json(agents.hub.report(&node, &report)).into_response()
}

/// An agent's stream is open for as long as this lives.
struct Presence {
    hub: Arc<Hub>,
    node: String,
    wake: watch::Receiver<()>,
}

impl Presence {
    fn new(hub: Arc<Hub>, node: String) -> Self {
        let mut wake = hub.stream(&node);
        wake.mark_changed();
        tracing::info!(node, "an agent came");
        hub.apply(Event::AgentCame(node.clone()));
        Self { hub, node, wake }
    }

    /// The next line: at once when something changed, else a heartbeat.
    async fn next(&mut self) -> StreamLine {
        match timeout(HEARTBEAT, self.wake.changed()).await {
            Err(_) | Ok(Err(_)) => StreamLine::Heartbeat {},
            Ok(Ok(())) => {
                // Changes come in groups: a job that starts is one change for each of its nodes' streams, and more may follow.
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.wake.mark_unchanged();
                self.hub.desired(&self.node).map_or(StreamLine::Heartbeat {}, StreamLine::Desired)
            }
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        tracing::info!(node = self.node, "an agent went");
        self.hub.apply(Event::AgentWent(self.node.clone()));
    }
}

fn lines(presence: Presence) -> impl Stream<Item = Result<Bytes, Infallible>> {
    unfold(presence, |mut presence| async move {
        let mut line = serde_json::to_vec(&presence.next().await).unwrap_or_default();
        line.push(b'\n');
        Some((Ok(line.into()), presence))
    })
}
