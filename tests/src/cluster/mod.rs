//! Real programs for the cluster tier, each started on 127.0.0.1 in a folder of its own and gone when its handle is
//! dropped: a Kubernetes control plane ([`Cluster`]), [`Prometheus`] and [`Helm`]. The programs come from the cache that
//! `cargo xtask control-plane` fills; [`programs::or_skip`] decides what happens when they are not there.
//!
//! What runs on the cluster (operator, agents, workloads) and what is asserted is left to the tests.

mod answer;
mod api_server;
mod certificates;
mod controllers;
mod helm;
mod port;
mod process;
pub mod programs;
mod prometheus;
mod wait;

pub use answer::Answer;
pub use api_server::Cluster;
pub use helm::Helm;
pub use process::Process;
pub use programs::Programs;
pub use prometheus::{Prometheus, Sample, Scrape, check_metrics};
pub use wait::eventually;
