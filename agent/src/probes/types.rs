//! `struct file`: the kernel's types, with their members if asked.

use ::bpf::btf::Kind;
use lang::glob;

use crate::target::{self, TargetError};

/// Adds every struct, union or enum that matches `struct NAME`, `union NAME` or `enum NAME`.
pub(super) fn list(pattern: &str, verbose: bool, lines: &mut Vec<String>) -> Result<(), TargetError> {
    let (Some((word, wanted)), Some(btf)) = (pattern.split_once(' '), target::kernel_types()?) else { return Ok(()) };
    let kinds: &[Kind] = match word {
        "struct" => &[Kind::Struct],
        "union" => &[Kind::Union],
        _ => &[Kind::Enum, Kind::Enum64],
    };
    let mut found: Vec<_> = kinds
        .iter()
        .flat_map(|kind| btf.iter(*kind))
        .filter(|(_, name)| !name.is_empty() && glob::matches(wanted, name))
        .collect();
    found.sort_by_key(|(_, name)| *name);
    found.dedup_by_key(|(_, name)| *name);
    for (id, name) in found {
        match btf.definition(id).filter(|_| verbose) {
            Some(definition) => lines.push(format!("vmlinux: {definition};")),
            None => lines.push(format!("{word} {name}")),
        }
    }
    Ok(())
}
