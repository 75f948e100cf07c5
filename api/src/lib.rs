//! What bpfleet says to the outside and among its parts: the TraceJob resource and the agent-operator messages.
//!
//! Pure: types, their serialised forms and their bounds. [`tracejob`] and [`status`] are the custom resource (its
//! definition is generated from them, see [`crds`]), [`reason`] the closed lists of reasons, [`wire`] the messages
//! between an agent and the operator. What a report carries is a type parameter there, so that this crate does not
//! depend on the crate that knows snapshots. Leaves every decision about jobs to the operator.
//!
//! TracePolicy is not here yet: until it is, the operator's own bounds ([`limits`]) hold for everybody.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::indexing_slicing
    )
)]

pub mod limits;
pub mod reason;
pub mod selector;
pub mod status;
pub mod tracejob;
pub mod wire;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

pub use status::TraceJobStatus;
pub use tracejob::{TraceJob, TraceJobSpec};

/// Every custom resource definition of the group, in the order they are to be applied.
///
/// Valid on API servers from 1.20 on: servers before 1.25 ignore the validation rules in it, whose invariants the
/// operator enforces too.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![TraceJob::crd()]
}
