//! What the operator listens on: TLS for the agents ([`agents`]), plain for scrapes, health and results ([`public`]).

pub mod agents;
pub mod public;
pub mod serve;
pub mod tls;
