//! The plain port: metrics, health, and the full results of jobs.
//!
//! Nothing here asks who one is: a NetworkPolicy says who reaches the port, and `kubectl` reaches it through the API
//! server's service proxy, which asks.

use std::sync::Arc;

use api::status::TraceJobStatus;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use report::{folded, text};
use serde::{Deserialize, Serialize};

use crate::hub::Hub;
use crate::index::document::{Document, Outcome};
use crate::index::{JobRef, View};
use crate::metrics::{Exposition, Form};
use crate::store::Store;

/// What the handlers share.
#[derive(Clone)]
pub struct Public {
    /// The index.
    pub hub: Arc<Hub>,
    /// Where finished results are.
    pub store: Arc<Store>,
    /// What was shown to Prometheus.
    pub exposition: Arc<Exposition>,
}

/// `/metrics`, `/healthz`, `/readyz`, `/v1/tracejobs` and `/v1/namespaces/{ns}/tracejobs/{name}/results`.
pub fn router(public: Public) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/v1/tracejobs", get(tracejobs))
        .route("/v1/namespaces/{namespace}/tracejobs/{name}/results", get(results))
        .with_state(public)
}

/// `/healthz` and `/readyz` of an operator that waits for its turn.
pub fn standing_by() -> Router {
    let waiting = || async { (StatusCode::SERVICE_UNAVAILABLE, "another operator works\n") };
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(waiting))
}

async fn metrics(State(public): State<Public>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let form = Form::accepted(accept);
    match public.exposition.encode(&public.hub, form) {
        Ok(metrics) => ([(header::CONTENT_TYPE, form.content_type())], metrics).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error).into_response(),
    }
}

async fn ready(State(public): State<Public>) -> Response {
    if public.hub.ask(|index, _| index.is_synced()) {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "jobs and nodes are still being listed\n").into_response()
    }
}

/// A job with its status, as `/v1/tracejobs` lists them.
#[derive(Debug, Serialize)]
struct Listed {
    namespace: String,
    name: String,
    status: TraceJobStatus,
}

async fn tracejobs(State(public): State<Public>) -> Json<Vec<Listed>> {
    let statuses = public.hub.ask(|index, now| index.statuses(now));
    let listed = |(job, status): (JobRef, _)| Listed { namespace: job.namespace, name: job.name, status };
    Json(statuses.into_iter().map(listed).collect())
}

/// How results are wanted.
#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    format: Format,
}

/// A form of results.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// Everything: merged, by node, with the status.
    #[default]
    Json,
    /// The merged maps as bpftrace prints them.
    Text,
    /// The merged maps with stacks, for flame graphs.
    Folded,
}

async fn results(
    State(public): State<Public>,
    Path((namespace, name)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let Some(view) = public.hub.ask(|index, now| index.view(&namespace, &name, now)) else {
        return (StatusCode::NOT_FOUND, format!("no TraceJob {namespace}/{name} is known\n")).into_response();
    };
    match outcome(&public, view).await {
        Ok(outcome) => shown(&outcome, wanted.format),
        Err((status, message)) => (status, message).into_response(),
    }
}

/// The results from memory, or from where they are stored.
async fn outcome(public: &Public, view: View) -> Result<Arc<Outcome>, (StatusCode, String)> {
    if let Some(outcome) = view.outcome {
        return Ok(outcome);
    }
    match public.store.load(&view.job).await {
        Ok(Some(Document::Outcome(outcome))) => Ok(Arc::from(outcome)),
        // It ended without any, or has none yet: the status says why.
        Ok(_) => Ok(Arc::new(Outcome { status: view.status, ..Outcome::default() })),
        Err(error) => Err((StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"))),
    }
}

fn shown(outcome: &Outcome, format: Format) -> Response {
    let flat = outcome.merged.flatten();
    match format {
        Format::Json => Json(outcome).into_response(),
        Format::Text => text::snapshot(&flat).trim_start_matches('\n').to_owned().into_response(),
        Format::Folded => {
            let stacks = flat.maps.values().filter(|map| folded::has_stacks(map));
            stacks.map(folded::map).collect::<String>().into_response()
        }
    }
}
