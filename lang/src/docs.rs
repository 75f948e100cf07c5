//! The language's tables for docs/language.md, made from the same tables the compiler works with.
//!
//! `cargo xtask generate` writes them; CI fails where the file differs.

use std::fmt::Write;

use crate::{builtin, codes, config, function, provider};

/// Every probe, builtin, function, setting and diagnostic as Markdown: a heading of the second level and a table each.
pub fn tables() -> String {
    let mut out = String::new();
    section(&mut out, "Probes", &["probe", "other names", "what it is", "example"], probes());
    section(&mut out, "Builtins", &["name", "type", "what it is", "example"], builtins());
    section(&mut out, "Functions", &["call", "what it does", "example"], functions());
    section(&mut out, "Settings", &["key", "values", "what it says"], settings());
    section(&mut out, "Diagnostics", &["code", "about", "what it means"], diagnostics());
    out
}

fn section(out: &mut String, title: &str, columns: &[&str], rows: Vec<Vec<String>>) {
    let rules: Vec<&str> = columns.iter().map(|_| "---").collect();
    // Writing to a string does not fail.
    let _ = writeln!(out, "{}## {title}\n", if out.is_empty() { "" } else { "\n" });
    let _ = writeln!(out, "| {} |\n| {} |", columns.join(" | "), rules.join(" | "));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
}

fn probes() -> Vec<Vec<String>> {
    let row = |provider: &&provider::Provider| {
        let aliases: Vec<String> = provider.aliases.iter().map(|alias| code(alias)).collect();
        vec![code(provider.syntax), aliases.join(", "), text(provider.summary), code(provider.example)]
    };
    provider::ALL.iter().map(row).collect()
}

fn builtins() -> Vec<Vec<String>> {
    let row = |builtin: &builtin::Builtin| {
        let name = if builtin.name == "arg0" { "`arg0`, `arg1` ..".to_owned() } else { code(builtin.name) };
        vec![name, code(builtin.ty), text(builtin.summary), code(builtin.example)]
    };
    documented_builtins().map(row).collect()
}

/// Every builtin; `arg0` stands for its kin.
fn documented_builtins() -> impl Iterator<Item = &'static builtin::Builtin> {
    let is_kin = |name: &str| name.strip_prefix("arg").is_some_and(|rest| rest.parse::<u8>().is_ok_and(|n| n > 0));
    builtin::ALL.iter().copied().filter(move |builtin| !is_kin(builtin.name))
}

fn functions() -> Vec<Vec<String>> {
    let row = |function: &&function::Function| {
        let allowed = if function.changes_system { " Must be allowed with `--unsafe` or by a policy." } else { "" };
        vec![code(function.signature), text(function.summary) + allowed, code(function.example)]
    };
    function::ALL.iter().map(row).collect()
}

fn settings() -> Vec<Vec<String>> {
    config::KEYS.iter().map(|key| vec![code(key.name), text(key.values), text(key.summary)]).collect()
}

fn diagnostics() -> Vec<Vec<String>> {
    codes::all().map(|entry| vec![entry.code.to_owned(), text(entry.title), text(entry.explanation)]).collect()
}

/// Text in a cell of a table.
fn text(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Code in a cell of a table; a backtick inside would end it.
fn code(source: &str) -> String {
    format!("`{}`", text(source).replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_as_many_cells_as_columns() {
        let mut columns = 0;
        for line in tables().lines() {
            let cells = line.replace("\\|", "").matches('|').count();
            match (cells, columns) {
                (0, _) => columns = 0,
                (_, 0) => columns = cells,
                _ => assert_eq!(cells, columns, "{line}"),
            }
        }
    }
}
