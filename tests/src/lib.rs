//! What the suites that cross crates share; the suites themselves are in `tests/`.

pub mod binary;
pub mod cluster;
pub mod dashboard;
