//! The operator without a cluster: TraceJobs, Nodes and ConfigMaps are YAML files in a folder, statuses and results are
//! files too. The index does not know the difference.
//!
//! [`manifests`] reads the files, [`source`] looks for changes and tells the index, [`writer`] writes, [`authority`] keeps
//! what the operator's certificate is signed with.

pub mod authority;
pub mod manifests;
pub mod source;
pub mod writer;
