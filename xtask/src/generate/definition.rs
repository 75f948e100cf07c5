//! Custom resource definitions as YAML.

use anyhow::{Context, Result};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

const HEADER: &str = "# Made by `cargo xtask generate` from the api crate; edit that instead.\n";

/// The definition as a file of its own.
pub fn yaml(crd: &CustomResourceDefinition) -> Result<String> {
    let text = serde_saphyr::to_string(crd).context("a definition cannot be written as YAML")?;
    Ok(format!("{HEADER}{}\n", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_definition_reads_back_as_it_was() {
        for crd in api::crds() {
            let read: CustomResourceDefinition = serde_saphyr::from_str(&yaml(&crd).unwrap()).unwrap();
            assert_eq!(read, crd);
        }
    }
}
