//! `test`: what runs when the user asks for the script's tests.

use super::trial::expand;
use super::{Provider, nothing};
use crate::options::Trials;

/// See the module.
pub const PROVIDER: Provider = Provider {
    name: "test",
    aliases: &[],
    syntax: "test:name",
    summary: "Runs once with `--test`, and not otherwise: it fails where it returns a number other than 0, prints an error or ends the script.",
    example: "test:sums { @x = 1; @x += 2; if (@x != 3) { return 1; } }",
    needs: nothing,
    expand: |into, point| expand(into, point, "test", Trials::Tests),
};
