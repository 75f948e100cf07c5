//! The agent: from a compiled script to a running session on this node and back to typed rows.
//!
//! Owns everything that touches the node: gathering the compiler's [`target`], loading and attaching programs,
//! reading maps and events, symbolising, and the [`session`]s that tie these together. What it hands out is data of `report`.
//! Leaves the language to `lang`, byte layouts to `report`, and Kubernetes to the operator.

pub mod attach;
pub mod fleet;
pub mod info;
pub mod kallsyms;
pub mod load;
pub mod node_report;
pub mod packets;
pub mod preflight;
pub mod probes;
pub mod read;
pub mod run;
pub mod session;
pub mod symbolise;
pub mod sys;
pub mod target;
pub mod tracefs;
pub mod unwind;
pub mod user;
