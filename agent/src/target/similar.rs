//! For tracepoints and kernel functions that a script names and this node lacks: what was probably meant.
//!
//! Costs nothing where everything exists: the lists are read only when something is missing.

use std::collections::BTreeMap;

use lang::needs::Needs;
use lang::target::Target;

use super::{TargetError, functions, tracepoints};

/// By the name as the script writes it, the nearest of those that exist.
pub fn names(needs: &Needs, target: &Target) -> Result<BTreeMap<String, String>, TargetError> {
    let mut similar = BTreeMap::new();
    let events = needs.tracepoints.iter().filter(|pattern| !pattern.is_wild());
    let events = events.map(|pattern| format!("{}:{}", pattern.category, pattern.event));
    let missing: Vec<String> = events.filter(|name| !target.tracepoints.contains_key(name)).collect();
    if !missing.is_empty() {
        let known = tracepoints::names()?;
        add(&mut similar, missing, || known.iter().map(String::as_str));
    }
    let functions = needs.functions.iter().filter(|pattern| !pattern.is_wild()).map(|pattern| pattern.name.clone());
    let missing: Vec<String> = functions.filter(|name| !target.functions.contains_key(name)).collect();
    if !missing.is_empty() {
        let known = self::functions::functions()?;
        add(&mut similar, missing, || known.iter().map(|function| function.name.as_str()));
    }
    Ok(similar)
}

fn add<'k, I: Iterator<Item = &'k str>>(
    similar: &mut BTreeMap<String, String>,
    missing: Vec<String>,
    known: impl Fn() -> I,
) {
    for name in missing {
        if let Some(near) = lang::nearest(&name, known()) {
            similar.insert(name, near.to_owned());
        }
    }
}
