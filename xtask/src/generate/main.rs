//! `cargo xtask generate`: files that repeat what the code says, written from the code. With `--check` nothing is
//! written, and a file that differs is an error.
//!
//! A program of its own because it alone needs the crates it reads. [`definition`] makes the resource definitions,
//! [`fields`] the table of their fields; the language's tables come from `lang::docs`, that of metrics from
//! `operator::metrics`.

mod definition;
mod fields;
#[path = "../marked.rs"]
mod marked;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;

/// Write the files that are made from the code.
#[derive(Parser)]
#[command(name = "cargo xtask generate")]
struct Args {
    /// Write nothing; fail when a file is not as it would be written.
    #[arg(long)]
    check: bool,
}

/// A file and the text it must have.
struct Generated {
    /// Relative to the root of the checkout.
    path: PathBuf,
    text: String,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut stale = Vec::new();
    for file in generated(&root)? {
        let path = root.join(&file.path);
        if fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        if args.check {
            stale.push(file.path.display().to_string());
        } else {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, file.text).with_context(|| format!("cannot write {}", path.display()))?;
            println!("wrote {}", file.path.display());
        }
    }
    if !stale.is_empty() {
        bail!("not as the code says; run `cargo xtask generate`: {}", stale.join(", "));
    }
    Ok(())
}

fn generated(root: &Path) -> Result<Vec<Generated>> {
    let mut files = Vec::new();
    let mut tables = String::new();
    for crd in api::crds() {
        let name = crd.metadata.name.clone().context("a definition without a name")?;
        let text = definition::yaml(&crd)?;
        for folder in ["crds", "charts/bpfleet/files"] {
            files.push(Generated { path: format!("{folder}/{name}.yaml").into(), text: text.clone() });
        }
        tables += &fields::tables(&crd);
    }
    files.push(part_of(root, "docs/tracejob.md", "fields", &tables)?);
    files.push(part_of(root, "docs/metrics.md", "metrics", &operator::metrics::table())?);
    files.push(part_of(root, "docs/language.md", "tables", &lang::docs::tables())?);
    Ok(files)
}

/// A document with its generated part brought up to date.
fn part_of(root: &Path, path: &str, part: &str, text: &str) -> Result<Generated> {
    let document = fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    let text = marked::replace(&document, part, text).with_context(|| path.to_owned())?;
    Ok(Generated { path: path.into(), text })
}
