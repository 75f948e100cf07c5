//! Which kernel functions can be probed.

use std::collections::BTreeMap;
use std::fs;

use lang::needs::FunctionPattern;

use super::TargetError;
use crate::kallsyms::{self, Kallsyms};
use crate::tracefs;

/// A kernel function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    /// The module; `None` for the kernel itself.
    pub module: Option<String>,
    /// Its name.
    pub name: String,
}

/// The functions that match any of `patterns`, with their modules.
pub fn matching(patterns: &[FunctionPattern]) -> Result<BTreeMap<String, Option<String>>, TargetError> {
    let mut found = BTreeMap::new();
    if patterns.is_empty() {
        return Ok(found);
    }
    for function in functions()? {
        let is_meant = |pattern: &FunctionPattern| {
            pattern.matches(function.module.as_deref(), &function.name)
                && !(pattern.is_wild() && is_dangerous(&function.name))
        };
        if patterns.iter().any(is_meant) {
            // Of two functions with one name the kernel's own wins, as it does when a kprobe names it.
            let module = found.entry(function.name).or_insert_with(|| function.module.clone());
            if function.module.is_none() {
                *module = None;
            }
        }
    }
    exact_names(patterns, &mut found)?;
    Ok(found)
}

/// Functions that tracing itself may call at any point: with thousands of others they are more likely meant by accident, and the
/// machine would hang.
fn is_dangerous(name: &str) -> bool {
    name.starts_with("rcu_") || name.starts_with("__rcu_") || name.starts_with("__ftrace_invalid_address__")
}

/// Adds functions that are named in full and exist but are not listed as traceable: a kprobe may still take them.
fn exact_names(patterns: &[FunctionPattern], found: &mut BTreeMap<String, Option<String>>) -> Result<(), TargetError> {
    let missing: Vec<_> =
        patterns.iter().filter(|pattern| !pattern.is_wild() && !found.contains_key(&pattern.name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let symbols = Kallsyms::shared().map_err(TargetError::unreadable(kallsyms::PATH))?;
    for symbol in symbols.functions() {
        if missing.iter().any(|pattern| pattern.matches(symbol.module, symbol.name)) {
            found.entry(symbol.name.to_owned()).or_insert_with(|| symbol.module.map(str::to_owned));
        }
    }
    Ok(())
}

/// Every function that can be traced, in no order: what ftrace lists, else every function symbol.
pub fn functions() -> Result<Vec<Function>, TargetError> {
    let listed = tracefs::root().ok().and_then(|root| fs::read_to_string(root.join("available_filter_functions")).ok());
    if let Some(text) = listed.filter(|text| !text.is_empty()) {
        return Ok(text.lines().map(listed_function).collect());
    }
    let symbols = Kallsyms::shared().map_err(TargetError::unreadable(kallsyms::PATH))?;
    let function = |symbol: kallsyms::Symbol<'_>| Function {
        module: symbol.module.map(str::to_owned),
        name: symbol.name.to_owned(),
    };
    Ok(symbols.functions().map(function).collect())
}

/// `vfs_read` or `ext4_sync_file [ext4]`
fn listed_function(line: &str) -> Function {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default().to_owned();
    let module = words.next().map(|module| module.trim_matches(['[', ']']).to_owned());
    Function { module, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_function_names_its_module_in_brackets() {
        let ext4 = Function { module: Some("ext4".to_owned()), name: "ext4_sync_file".to_owned() };
        assert_eq!(listed_function("ext4_sync_file [ext4]"), ext4);
        assert_eq!(listed_function("vfs_read"), Function { module: None, name: "vfs_read".to_owned() });
    }
}
