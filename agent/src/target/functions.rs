//! Which kernel functions can be probed.

use std::collections::{BTreeMap, BTreeSet};
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

/// Functions a script names.
#[derive(Debug, Default)]
pub struct Found {
    /// Their modules by their names; `None` for the kernel itself.
    pub modules: BTreeMap<String, Option<String>>,
    /// Those of them that ftrace does not list.
    pub untraceable: BTreeSet<String>,
    /// What the compiler made of functions that do not exist by their own names.
    pub variants: BTreeMap<String, Vec<String>>,
}

/// The functions that match any of `patterns`. A file of functions that the user gives stands for all there are.
pub fn matching(patterns: &[FunctionPattern], file: Option<&str>) -> Result<Found, TargetError> {
    let mut found = BTreeMap::new();
    if patterns.is_empty() {
        return Ok(Found::default());
    }
    let listed = match file {
        Some(file) => Some(parsed(&fs::read_to_string(file).map_err(TargetError::unreadable(file))?)),
        None => listed(),
    };
    let is_listed = listed.is_some();
    for function in listed.map_or_else(symbols, Ok)? {
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
    let mut found = Found { modules: found, ..Found::default() };
    if file.is_none() {
        exact_names(patterns, &mut found)?;
    }
    if !is_listed {
        found.untraceable.clear();
    }
    Ok(found)
}

/// Functions that tracing itself may call at any point: with thousands of others they are more likely meant by accident, and the
/// machine would hang.
fn is_dangerous(name: &str) -> bool {
    name.starts_with("rcu_") || name.starts_with("__rcu_") || name.starts_with("__ftrace_invalid_address__")
}

/// Adds functions that are named in full and exist but are not listed as traceable: a kprobe may still take them.
fn exact_names(patterns: &[FunctionPattern], found: &mut Found) -> Result<(), TargetError> {
    let missing: Vec<_> =
        patterns.iter().filter(|pattern| !pattern.is_wild() && !found.modules.contains_key(&pattern.name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let symbols = Kallsyms::shared().map_err(TargetError::unreadable(kallsyms::PATH))?;
    for symbol in symbols.functions() {
        if missing.iter().any(|pattern| pattern.matches(symbol.module, symbol.name)) {
            found.modules.entry(symbol.name.to_owned()).or_insert_with(|| symbol.module.map(str::to_owned));
            found.untraceable.insert(symbol.name.to_owned());
        } else if let Some((source, _)) = symbol.name.split_once('.')
            && missing.iter().any(|pattern| pattern.matches(symbol.module, source))
        {
            found.variants.entry(source.to_owned()).or_default().push(symbol.name.to_owned());
        }
    }
    Ok(())
}

/// Every function that can be traced, in no order: what ftrace lists, else every function symbol.
pub fn functions() -> Result<Vec<Function>, TargetError> {
    listed().map_or_else(symbols, Ok)
}

/// What ftrace lists; `None` where it does not.
fn listed() -> Option<Vec<Function>> {
    let listed = tracefs::root().ok().and_then(|root| fs::read_to_string(root.join("available_filter_functions")).ok());
    listed.filter(|text| !text.is_empty()).map(|text| parsed(&text))
}

fn parsed(text: &str) -> Vec<Function> {
    text.lines().map(listed_function).collect()
}

/// Every function among the symbols.
fn symbols() -> Result<Vec<Function>, TargetError> {
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
