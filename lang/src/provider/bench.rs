//! `bench`: what runs when the user asks for the script's benchmarks.

use super::trial::expand;
use super::{Provider, nothing};
use crate::options::Trials;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "bench",
    aliases: &[],
    syntax: "bench:name",
    summary: "Runs with `--bench` for about a millisecond, and not otherwise: the time that one run takes is told.",
    example: "bench:sums { @x = 1; @x += 2; if (@x != 3) { return 1; } }",
    needs: nothing,
    expand: |into, point| expand(into, point, "bench", Trials::Benches),
};
