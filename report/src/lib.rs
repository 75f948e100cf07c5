//! The data: schema, decoding, snapshots, merging, rendering.
//!
//! Pure: bytes and values in, values and text out. Leaves reading the kernel to the agent.

pub mod schema;
