//! The operator on a cluster: watches jobs and nodes, writes statuses, and keeps the authority that signs its certificate.
//!
//! [`source`] is the only reader of jobs and nodes, [`writer`] the only writer of statuses and events.

pub mod authority;
pub mod source;
pub mod writer;
