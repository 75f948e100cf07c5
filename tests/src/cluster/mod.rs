//! Real programs for the cluster tier, each started on 127.0.0.1 in a folder of its own and gone when its handle is
//! dropped: a Kubernetes control plane ([`Cluster`]), [`Prometheus`], [`Helm`], and operator and agents on top of them
//! ([`fleet::Fleet`]) with a workload to look at ([`Reader`]). The programs come from the cache that `cargo xtask
//! control-plane` fills; [`programs::or_skip`] decides what happens when they are not there.
//!
//! Which jobs run and what is asserted is left to the tests.

mod answer;
mod api_server;
mod attached;
mod certificates;
mod controllers;
pub mod fleet;
mod helm;
pub mod http;
mod port;
mod process;
pub mod programs;
mod prometheus;
mod reads;
mod wait;

pub use answer::Answer;
pub use api_server::Cluster;
pub use attached::{Attached, kernel_has_program};
pub use helm::Helm;
pub use process::Process;
pub use programs::Programs;
pub use prometheus::{Prometheus, Sample, Scrape, check_metrics};
pub use reads::Reader;
pub use wait::eventually;
