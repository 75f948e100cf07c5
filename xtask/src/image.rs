//! `cargo xtask image`: what a container image of bpfleet is made from, in `target/image`: the binary, linked statically
//! so that the image holds nothing else, and a Dockerfile. Building and pushing it is left to the user's own tool.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::release;

const DOCKERFILE: &str = include_str!("image/Dockerfile");

/// Builds the static binary, puts it and the Dockerfile side by side, and returns the folder.
pub fn run() -> Result<PathBuf> {
    let binary = release::build_static()?;
    let release_folder = binary.parent().context("the binary has no folder")?;
    let target = release_folder.ancestors().nth(2).context("the binary is not in a target folder")?;
    let folder = target.join("image");
    fs::create_dir_all(&folder)?;
    fs::copy(&binary, folder.join("bpfleet"))?;
    fs::write(folder.join("Dockerfile"), DOCKERFILE)?;
    println!("{}", folder.display());
    Ok(folder)
}
