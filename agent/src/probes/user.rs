//! Functions and static markers of executables and libraries: `uprobe:/bin/bash:read*`, `usdt:libc:*`.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use lang::glob;

use super::Query;
use crate::target::TargetError;
use crate::user::{self, Place};

pub(super) fn functions(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    let (file, pattern) = query.rest.rsplit_once(':').unwrap_or((query.rest, ""));
    for place in files(file, query) {
        // A file that cannot be read has no functions to list.
        let path = Path::new(&place.path);
        let mut found = user::functions(path, query.debug_folders).unwrap_or_default();
        found.retain(|function| pattern.is_empty() || glob::matches(pattern, &function.name));
        found.dedup_by(|a, b| a.name == b.name);
        let entry = name == "uprobe" && query.verbose;
        let parameters = if entry { user::parameters(path, &found, query.debug_folders) } else { HashMap::new() };
        for function in found {
            lines.push(format!("{name}:{}:{}", place.name, function.name));
            let of = parameters.get(&function.offset).into_iter().flatten();
            lines.extend(of.map(|parameter| format!("    {parameter}")));
        }
    }
    Ok(())
}

pub(super) fn markers(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    let mut parts = query.rest.splitn(3, ':');
    let file = parts.next().unwrap_or_default();
    let (provider, marker) = match (parts.next(), parts.next()) {
        (Some(provider), Some(marker)) => (provider, marker),
        (Some(marker), None) => ("", marker),
        _ => ("", ""),
    };
    let is_wanted = |pattern: &str, name: &str| pattern.is_empty() || glob::matches(pattern, name);
    for place in files(file, query) {
        let found = user::markers(Path::new(&place.path)).unwrap_or_default().into_iter();
        let wanted = found.filter(|m| is_wanted(provider, &m.provider) && is_wanted(marker, &m.name));
        let names: BTreeSet<String> = wanted.map(|marker| format!("{}:{}", marker.provider, marker.name)).collect();
        lines.extend(names.into_iter().map(|full| format!("{name}:{}:{full}", place.name)));
    }
    Ok(())
}

/// The files that are meant. A list of every provider's probes has those of a process and of paths in it, not of names that may stand
/// for tracepoints as well.
fn files(name: &str, query: &Query<'_>) -> Vec<Place> {
    let is_meant = query.named || query.pid.is_some() || name.contains('/');
    if is_meant { user::files(name, query.pid) } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_of_a_process_are_found_through_its_files() {
        let mut lines = Vec::new();
        let query = Query {
            rest: "*:*the_functions_of_a_process*",
            verbose: false,
            pid: Some(std::process::id()),
            debug_folders: &[],
            named: true,
        };
        functions("uprobe", &query, &mut lines).unwrap();
        assert!(lines.iter().any(|line| line.starts_with("uprobe:/") && line.contains("the_functions_of_a_process")));
    }

    #[test]
    fn without_a_process_only_paths_are_looked_into_for_every_provider() {
        let query = |rest| Query { rest, verbose: false, pid: None, debug_folders: &[], named: false };
        assert!(files("libc", &query("")).is_empty());
        assert_eq!(files("/bin/sh", &query("")).len(), 1);
    }
}
