//! The data: schema, decoding, snapshots, merging, rendering.
//!
//! Map bytes and ring buffer records go in through [`decode`]; typed rows live in a [`Snapshot`]; differences travel as
//! [`patch::Patch`]; [`merge`] adds snapshots of many nodes up; [`render`] and [`status`] show the outcome.
//!
//! Pure: bytes and values in, values and text out. Leaves reading the kernel and resolving symbols to the agent, and
//! the clock to whoever has one.

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

pub mod bound;
pub mod buckets;
pub mod decode;
pub mod event;
mod gfp;
pub mod hist;
mod layout;
pub mod lhist;
pub mod merge;
pub mod order;
pub mod patch;
pub mod printf;
pub mod quantile;
pub mod raw;
pub mod render;
pub mod schema;
pub mod series;
pub mod snapshot;
pub mod status;
pub mod strftime;
pub mod symbols;
pub mod value;
mod wire;

pub use buckets::Buckets;
pub use render::{folded, json, text};
pub use snapshot::{Cell, Histogram, Key, Kind, MapData, Mean, Snapshot};
pub use value::{Stack, Text, Value};
