//! Functions of executables and libraries: `uprobe:/bin/bash:read*`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use blazesym::SymType;
use blazesym::inspect::Inspector;
use blazesym::inspect::source::{Elf, Source};
use lang::glob;

use super::Query;
use crate::attach::library;
use crate::target::TargetError;

pub(super) fn functions(name: &'static str, query: &Query<'_>, lines: &mut Vec<String>) -> Result<(), TargetError> {
    let (file, pattern) = match query.rest.rsplit_once(':') {
        Some((file, pattern)) => (file, pattern),
        None => ("*", query.rest),
    };
    for path in files(file, query.pid) {
        let mut names = BTreeSet::new();
        // A file that holds no symbols has no functions to list.
        let _ = Inspector::new().for_each(&Source::Elf(Elf::new(&path)), |symbol| {
            if symbol.sym_type == SymType::Function && (pattern.is_empty() || glob::matches(pattern, &symbol.name)) {
                names.insert(symbol.name.clone().into_owned());
            }
            ControlFlow::Continue(())
        });
        lines.extend(names.into_iter().map(|function| format!("{name}:{}:{function}", path.display())));
    }
    Ok(())
}

/// The files a name stands for: a pattern means those the process has mapped.
fn files(name: &str, pid: Option<u32>) -> Vec<PathBuf> {
    match (glob::is_pattern(name), pid) {
        (false, _) => library::find(name).into_iter().collect(),
        (true, None) => Vec::new(),
        (true, Some(pid)) => {
            let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
            let mapped: BTreeSet<&str> = maps.lines().filter_map(executable_path).collect();
            let mapped = mapped.into_iter().filter(|path| glob::matches(name, path));
            mapped.map(|path| inside(pid, Path::new(path))).collect()
        }
    }
}

/// The file of a mapping that holds code: `55d0-55d8 r-xp 00002000 08:01 1234 /bin/bash`.
fn executable_path(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(' ')?;
    let code = rest.get(2..3)? == "x";
    let path = rest.find('/').and_then(|at| rest.get(at..))?;
    code.then_some(path)
}

/// The file as this process finds it: another mount namespace is entered through /proc.
fn inside(pid: u32, path: &Path) -> PathBuf {
    let rooted = Path::new("/proc").join(pid.to_string()).join("root").join(path.strip_prefix("/").unwrap_or(path));
    if path.exists() || !rooted.exists() { path.to_owned() } else { rooted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mappings_of_code_have_functions() {
        assert_eq!(executable_path("55d0-55d8 r-xp 00002000 08:01 1234   /bin/bash"), Some("/bin/bash"));
        assert_eq!(executable_path("55d0-55d8 r--p 00002000 08:01 1234   /bin/bash"), None);
        assert_eq!(executable_path("7ffd-7ffe r-xp 00000000 00:00 0      [vdso]"), None);
    }

    #[test]
    fn the_functions_of_a_process_are_found_through_its_files() {
        let mut lines = Vec::new();
        let query = Query {
            rest: "*:*the_functions_of_a_process*",
            verbose: false,
            pid: Some(std::process::id()),
            named: true,
        };
        functions("uprobe", &query, &mut lines).unwrap();
        assert!(lines.iter().any(|line| line.starts_with("uprobe:/") && line.contains("the_functions_of_a_process")));
    }
}
