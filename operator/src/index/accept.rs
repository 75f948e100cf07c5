//! Whether a job can be run at all. An API server checks most of the spec by its schema and rules; old servers and
//! manifests in a folder do not, so everything is checked here too.

use std::time::Duration;

use api::limits;
use api::reason::Reason;
use api::tracejob::{self, TraceJobSpec};
use sha2::{Digest, Sha256};

/// The message of a job whose spec was changed while it ran.
pub const SPEC_CHANGED: &str = "the spec was changed while the job ran; it was ended and keeps the results of the \
                                spec it started with";

/// Why a job cannot be run, if it cannot.
pub fn accept(name: &str, spec: &TraceJobSpec, script: &Result<String, String>) -> Result<(), (Reason, String)> {
    if let Some(problem) = problem(spec) {
        return Err((Reason::InvalidSpec, problem));
    }
    let script = script.as_ref().map_err(|why| (Reason::ScriptNotFound, why.clone()))?;
    if script.len() > limits::SCRIPT_BYTES {
        let message = format!("the script has {} bytes; at most {} are taken", script.len(), limits::SCRIPT_BYTES);
        return Err((Reason::ScriptTooLarge, message));
    }
    check_script(name, script, &spec.args).map_err(|diagnostics| (Reason::InvalidScript, diagnostics))
}

/// The first thing that is wrong with a spec, in words.
fn problem(spec: &TraceJobSpec) -> Option<String> {
    if spec.script.is_some() == spec.script_from.is_some() {
        return Some("exactly one of script and scriptFrom must be given".to_owned());
    }
    if spec.args.len() > limits::ARGS || spec.args.iter().any(|arg| arg.len() > limits::ARG_BYTES) {
        return Some(format!("at most {} args of at most {} bytes are taken", limits::ARGS, limits::ARG_BYTES));
    }
    let negative = |duration: &kube::core::Duration| duration.is_negative();
    if spec.duration.as_ref().is_some_and(negative) || !within(spec.duration()) {
        let (min, max) = (limits::DURATION_MIN, limits::DURATION_MAX);
        return Some(format!("duration must lie between {min:?} and {max:?}"));
    }
    if spec.ttl_after_finished.as_ref().is_some_and(negative) {
        return Some("ttlAfterFinished must not be negative".to_owned());
    }
    if spec.max_nodes() == Some(0) {
        return Some("rollout.maxNodes must be at least 1".to_owned());
    }
    if !(1..=limits::MAP_ENTRIES_MAX).contains(&spec.map_entries()) {
        return Some(format!("limits.mapEntries must lie between 1 and {}", limits::MAP_ENTRIES_MAX));
    }
    if spec.output_lines() > limits::OUTPUT_LINES_MAX {
        return Some(format!("limits.outputLines must be at most {}", limits::OUTPUT_LINES_MAX));
    }
    spec.node_selector
        .as_ref()
        .and_then(|selector| selector.problem())
        .map(|problem| format!("nodeSelector: {problem}"))
}

fn within(duration: Duration) -> bool {
    (limits::DURATION_MIN..=limits::DURATION_MAX).contains(&duration)
}

/// What the compiler says against the script on some node, as `bpfleet check` prints it.
fn check_script(name: &str, script: &str, args: &[String]) -> Result<(), String> {
    let (args, named) = tracejob::split_args(args);
    let options = lang::options::Options { args, named, ..Default::default() };
    let errors = match lang::parse(script) {
        Err(errors) => errors,
        Ok(parsed) => {
            let mut found = lang::check(script, &parsed, &lang::target::Target::generic(), &options);
            found.retain(|diagnostic| diagnostic.severity == lang::diagnostic::Severity::Error);
            found
        }
    };
    if errors.is_empty() { Ok(()) } else { Err(lang::render::terminal(name, script, &errors)) }
}

/// What must not change in a running job, as hexadecimal SHA-256.
pub fn spec_hash(spec: &TraceJobSpec) -> String {
    let json = serde_json::to_vec(&spec.immutable_part()).unwrap_or_default();
    Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use api::selector::{LabelSelector, Operator, Requirement};
    use api::tracejob::{Limits, Rollout};

    use super::*;

    fn spec(script: &str) -> TraceJobSpec {
        TraceJobSpec { script: Some(script.to_owned()), ..TraceJobSpec::default() }
    }

    fn reason(spec: &TraceJobSpec) -> Option<Reason> {
        let script = spec.script.clone().ok_or_else(|| "no such ConfigMap".to_owned());
        accept("job", spec, &script).err().map(|(reason, _)| reason)
    }

    const GOOD: &str = "BEGIN { printf(\"x\\n\"); }";

    #[test]
    fn what_a_server_may_not_have_checked_is_checked() {
        assert_eq!(reason(&spec(GOOD)), None);
        let duration = |seconds| Some(kube::core::Duration::from(Duration::from_secs(seconds)));
        let selector = LabelSelector {
            match_expressions: vec![Requirement { key: "a".to_owned(), operator: Operator::In, values: vec![] }],
            ..LabelSelector::default()
        };
        let bad = [
            TraceJobSpec::default(),
            TraceJobSpec { duration: duration(0), ..spec(GOOD) },
            TraceJobSpec { duration: duration(24 * 60 * 60 + 1), ..spec(GOOD) },
            TraceJobSpec { duration: "-5s".parse().ok(), ..spec(GOOD) },
            TraceJobSpec { ttl_after_finished: "-5s".parse().ok(), ..spec(GOOD) },
            TraceJobSpec { args: vec![String::new(); 65], ..spec(GOOD) },
            TraceJobSpec { args: vec!["x".repeat(4097)], ..spec(GOOD) },
            TraceJobSpec { rollout: Some(Rollout { max_nodes: Some(0) }), ..spec(GOOD) },
            TraceJobSpec { limits: Some(Limits { map_entries: Some(0), output_lines: None }), ..spec(GOOD) },
            TraceJobSpec { limits: Some(Limits { map_entries: None, output_lines: Some(200_000) }), ..spec(GOOD) },
            TraceJobSpec { node_selector: Some(selector), ..spec(GOOD) },
        ];
        for spec in bad {
            assert_eq!(reason(&spec), Some(Reason::InvalidSpec), "{spec:?}");
        }
    }

    #[test]
    fn a_wrong_script_is_answered_with_what_check_prints() {
        let script = "BEGIN { nosuchfunction(); }";
        let (reason, message) = accept("job", &spec(script), &Ok(script.to_owned())).expect_err("a wrong script");
        assert_eq!(reason, Reason::InvalidScript);
        assert!(message.starts_with("job:1:9"), "{message}");
        assert!(message.contains("~~~"), "{message}");
    }

    #[test]
    fn a_script_that_is_too_large_or_missing_says_so() {
        let large = format!("BEGIN {{ }} //{}", "x".repeat(limits::SCRIPT_BYTES));
        assert_eq!(reason(&spec(&large)), Some(Reason::ScriptTooLarge));
        let missing = accept("job", &spec(GOOD), &Err("no such ConfigMap".to_owned()));
        assert_eq!(missing, Err((Reason::ScriptNotFound, "no such ConfigMap".to_owned())));
    }

    #[test]
    fn cancelling_does_not_change_the_hash() {
        let job = spec(GOOD);
        assert_eq!(spec_hash(&job), spec_hash(&TraceJobSpec { cancel: true, ..job.clone() }));
        assert_ne!(spec_hash(&job), spec_hash(&TraceJobSpec { args: vec!["1".to_owned()], ..job }));
    }
}
