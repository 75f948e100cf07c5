//! Which tracepoints there are, and what their records hold.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use lang::needs::TracepointPattern;
use lang::target::TracepointFormat;

use super::TargetError;
use crate::tracefs;

/// The tracepoints that match any of `patterns`, by `category:event`; with formats where a pattern wants their fields.
pub fn matching(patterns: &[TracepointPattern]) -> Result<BTreeMap<String, Option<TracepointFormat>>, TargetError> {
    let mut found = BTreeMap::new();
    let mut all = None;
    for pattern in patterns {
        if !pattern.is_wild() {
            add(&mut found, pattern, &pattern.category, &pattern.event)?;
            continue;
        }
        let all = match &all {
            Some(all) => all,
            None => all.insert(names()?),
        };
        for (category, event) in all.iter().filter_map(|name| name.split_once(':')) {
            if pattern.matches(category, event) {
                add(&mut found, pattern, category, event)?;
            }
        }
    }
    Ok(found)
}

fn add(
    found: &mut BTreeMap<String, Option<TracepointFormat>>,
    pattern: &TracepointPattern,
    category: &str,
    event: &str,
) -> Result<(), TargetError> {
    let name = format!("{category}:{event}");
    if pattern.fields {
        if !matches!(found.get(&name), Some(Some(_)))
            && let Some(format) = format(category, event)?
        {
            found.insert(name, Some(format));
        }
    } else if !found.contains_key(&name) && tracefs::event(category, event)?.is_dir() {
        found.insert(name, None);
    }
    Ok(())
}

/// Every tracepoint that perf can open, as `category:event`, sorted.
pub fn names() -> Result<Vec<String>, TargetError> {
    let path = tracefs::root()?.join("available_events");
    let text = fs::read_to_string(&path).map_err(TargetError::unreadable(path))?;
    // Events without an id (`ftrace:function` and its like) cannot be opened; the kernel lists only those with one.
    let mut names: Vec<String> = text.lines().map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// What a tracepoint's record holds; `None` where there is no such tracepoint.
pub fn format(category: &str, event: &str) -> Result<Option<TracepointFormat>, TargetError> {
    // Names come from a script: none may climb out of tracefs.
    if [category, event].iter().any(|name| name.is_empty() || name.contains('/') || name.starts_with('.')) {
        return Ok(None);
    }
    let path = tracefs::event(category, event)?.join("format");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(super::format::parse(&text))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(TargetError::unreadable(path)(error)),
    }
}
