//! The fields of a custom resource as Markdown tables, from the schema in its definition.

use std::fmt::Write;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};

/// A table for `spec` and one for `status` of every version.
pub fn tables(crd: &CustomResourceDefinition) -> String {
    let mut out = String::new();
    for version in &crd.spec.versions {
        let schema = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
        let parts = schema.and_then(|schema| schema.properties.as_ref());
        for part in ["spec", "status"] {
            let Some(part_schema) = parts.and_then(|parts| parts.get(part)) else { continue };
            // Writing to a string does not fail.
            let _ = writeln!(out, "### {} {}: `{part}`\n", crd.spec.names.kind, version.name);
            let _ = writeln!(out, "| field | type | what it is |\n|---|---|---|");
            rows(&mut out, part, part_schema);
            out.push('\n');
        }
    }
    out
}

/// Rows for the properties of `schema`, each followed by those inside it.
fn rows(out: &mut String, path: &str, schema: &JSONSchemaProps) {
    let required = schema.required.as_deref().unwrap_or_default();
    for (name, property) in schema.properties.iter().flatten() {
        let path = format!("{path}.{name}");
        let mandatory = if required.contains(name) { ", required" } else { "" };
        let text = property.description.as_deref().unwrap_or_default();
        let _ = writeln!(out, "| `{path}` | {}{mandatory} | {}{} |", kind(property), cell(text), bounds(property));
        // Conditions are the same in every resource; Kubernetes' own reference describes them.
        if name != "conditions" {
            let (suffix, inner) = innermost(property);
            rows(out, &format!("{path}{suffix}"), inner);
        }
    }
}

/// What a field's type is called.
fn kind(schema: &JSONSchemaProps) -> String {
    let plain = schema.type_.as_deref().unwrap_or("any");
    match (&schema.enum_, item(schema), values(schema)) {
        (Some(choices), ..) => {
            let choices: Vec<String> = choices.iter().map(|choice| choice.0.to_string().replace('"', "`")).collect();
            choices.join(", ")
        }
        (_, Some(item), _) => format!("list of {}", kind(item)),
        (_, _, Some(value)) => format!("map of {}", kind(value)),
        _ => schema.format.as_ref().map_or(plain.to_owned(), |format| format!("{plain} ({format})")),
    }
}

/// The bounds a schema puts on a field, as a sentence.
fn bounds(schema: &JSONSchemaProps) -> String {
    let mut found = Vec::new();
    let mut say = |what: &str, bound: Option<String>| found.extend(bound.map(|bound| format!("{what} {bound}")));
    say("default", schema.default.as_ref().map(|default| format!("`{}`", default.0)));
    say("at least", schema.minimum.map(|bound| bound.to_string()));
    say("at most", schema.maximum.map(|bound| bound.to_string()));
    say("at most", schema.max_length.map(|bound| format!("{bound} characters")));
    say("at most", schema.max_items.map(|bound| format!("{bound} items")));
    say("at most", schema.max_properties.map(|bound| format!("{bound} entries")));
    if found.is_empty() { String::new() } else { format!(" ({})", found.join(", ")) }
}

/// The object whose fields are listed below a field, and what stands for the way there.
fn innermost(schema: &JSONSchemaProps) -> (&'static str, &JSONSchemaProps) {
    match (item(schema), values(schema)) {
        (Some(item), _) => ("[]", item),
        (_, Some(value)) => (".*", value),
        _ => ("", schema),
    }
}

fn item(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.items.as_ref()? {
        JSONSchemaPropsOrArray::Schema(item) => Some(item),
        JSONSchemaPropsOrArray::Schemas(items) => items.first(),
    }
}

fn values(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaPropsOrBool::Schema;
    match schema.additional_properties.as_ref()? {
        Schema(values) => Some(values),
        _ => None,
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_row_with_words() {
        for crd in api::crds() {
            let tables = tables(&crd);
            assert!(tables.contains("| `spec.script` | string"), "{tables}");
            for row in tables.lines().filter(|line| line.starts_with("| `")) {
                let cells: Vec<&str> = row.replace("\\|", "/").leak().split('|').map(str::trim).collect();
                assert_eq!(cells.len(), 5, "{row}");
                assert!(!cells[3].is_empty(), "no description: {row}");
            }
        }
    }
}
