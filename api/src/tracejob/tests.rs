//! The schema and its rules, as an API server would apply them.

use serde_json::{Value, json};

use super::*;

fn job(spec: Value) -> TraceJob {
    let spec = serde_json::from_value(spec).expect("a spec that fits the type");
    TraceJob::new("a", spec)
}

fn schema() -> Value {
    let crd = serde_json::to_value(crate::crds()).expect("a definition serialises");
    crd[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

#[test]
fn exactly_one_script_must_be_given() {
    assert!(job(json!({"script": "BEGIN {}"})).validate_cel().is_ok());
    let source = json!({"configMapKeyRef": {"name": "a", "key": "b"}});
    assert!(job(json!({"scriptFrom": source})).validate_cel().is_ok());
    assert!(job(json!({})).validate_cel().is_err());
    assert!(job(json!({"script": "BEGIN {}", "scriptFrom": source})).validate_cel().is_err());
}

#[test]
fn every_field_but_cancel_is_immutable() {
    let full = json!({
        "script": "BEGIN {}", "args": ["1"], "duration": "5s", "nodeSelector": {"matchLabels": {"a": "b"}},
        "rollout": {"maxNodes": 3}, "limits": {"mapEntries": 10}, "metrics": {"enabled": true},
        "ttlAfterFinished": "1h",
    });
    let old = job(full.clone());
    let changes = [
        ("script", json!("END {}")),
        ("args", json!(["2"])),
        ("duration", json!("6s")),
        ("nodeSelector", json!({})),
        ("rollout", json!({"maxNodes": 4})),
        ("limits", json!({"mapEntries": 11})),
        ("metrics", json!({"enabled": false})),
        ("ttlAfterFinished", json!("2h")),
    ];
    for (field, value) in changes {
        let mut changed = full.clone();
        changed[field] = value;
        assert!(job(changed.clone()).validate_cel_update(&old).is_err(), "{field} could be changed");
        if field != "script" {
            changed.as_object_mut().expect("an object").remove(field);
            assert!(job(changed).validate_cel_update(&old).is_err(), "{field} could be removed");
        }
    }
    let mut cancelled = full;
    cancelled["cancel"] = json!(true);
    assert!(job(cancelled.clone()).validate_cel_update(&old).is_ok());
    assert!(old.validate_cel_update(&job(cancelled)).is_err(), "a cancelled job could be revived");
}

#[test]
fn every_list_and_map_of_the_schema_is_bounded() {
    fn walk(path: &str, schema: &Value) {
        let Some(object) = schema.as_object() else { return };
        if object.get("type") == Some(&json!("array")) {
            assert!(object.contains_key("maxItems"), "{path} has no maxItems");
        }
        if object.get("additionalProperties").is_some() {
            assert!(object.contains_key("maxProperties"), "{path} has no maxProperties");
        }
        for (name, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            walk(&format!("{path}.{name}"), property);
        }
        for inner in ["items", "additionalProperties"] {
            object.get(inner).into_iter().for_each(|schema| walk(&format!("{path}.{inner}"), schema));
        }
    }
    walk("", &schema()["properties"]["spec"]);
    walk("", &schema()["properties"]["status"]);
}

#[test]
fn nothing_in_the_schema_breaks_old_servers() {
    let text = schema().to_string();
    assert!(!text.contains("x-kubernetes-int-or-string"));
    for keyword in ["$ref", "\"anyOf\"", "\"oneOf\"", "\"const\""] {
        assert!(!text.contains(keyword), "{keyword} in {text}");
    }
    let conditions = &schema()["properties"]["status"]["properties"]["conditions"];
    assert_eq!(conditions["x-kubernetes-list-type"], "map");
    assert_eq!(conditions["x-kubernetes-list-map-keys"], json!(["type"]));
}

#[test]
fn the_bounds_of_the_schema_are_those_of_the_code() {
    let spec = &schema()["properties"]["spec"]["properties"];
    assert_eq!(spec["script"]["maxLength"], limits::SCRIPT_BYTES);
    assert_eq!(spec["args"]["maxItems"], limits::ARGS);
    assert_eq!(spec["args"]["items"]["maxLength"], limits::ARG_BYTES);
    assert_eq!(spec["limits"]["properties"]["mapEntries"]["maximum"].as_f64(), Some(limits::MAP_ENTRIES_MAX.into()));
    assert_eq!(spec["limits"]["properties"]["outputLines"]["maximum"].as_f64(), Some(limits::OUTPUT_LINES_MAX.into()));
    assert_eq!(spec["metrics"]["properties"]["maxSeries"]["maximum"].as_f64(), Some(limits::SERIES_MAX.into()));
    let status = &schema()["properties"]["status"]["properties"];
    assert_eq!(status["failures"]["maxItems"], limits::STATUS_FAILURES);
    assert_eq!(status["output"]["maxItems"], limits::STATUS_OUTPUT);
    let results = &status["results"]["properties"];
    assert_eq!(results["text"]["maxLength"], limits::STATUS_TEXT_BYTES);
    assert_eq!(results["maps"]["maxItems"], limits::STATUS_MAPS);
    let entries = &results["maps"]["items"]["properties"]["entries"];
    assert_eq!(entries["maxItems"], limits::STATUS_ENTRIES);
    let entry = &entries["items"]["properties"];
    assert_eq!(entry["key"]["maxItems"], limits::STATUS_KEY_PARTS);
    assert_eq!(entry["value"]["maxLength"], limits::STATUS_LINE_BYTES);
    assert_eq!(entry["buckets"]["properties"]["counts"]["maxItems"], limits::STATUS_BUCKETS);
}

#[test]
fn a_spec_reads_back_as_it_was_written() {
    let written = json!({"script": "BEGIN {}", "duration": "90s", "cancel": true});
    let spec: TraceJobSpec = serde_json::from_value(written).expect("a valid spec");
    assert_eq!(spec.duration(), Duration::from_secs(90));
    let again: TraceJobSpec = serde_json::from_value(serde_json::to_value(&spec).expect("serialises")).expect("reads");
    assert_eq!(again, spec);
    assert!(!spec.immutable_part().cancel);
}

#[test]
fn named_arguments_are_told_from_positional_ones() {
    let args = ["4096", "--flag", "--depth=3", "-1", "--", "--x"].map(str::to_owned);
    let (positional, named) = split_args(&args);
    assert_eq!(positional, ["4096", "-1", "--x"]);
    assert_eq!(named, [("flag".to_owned(), None), ("depth".to_owned(), Some("3".to_owned()))]);
}
