//! Lines of the source: where their code is.

use std::collections::{BTreeMap, BTreeSet};

use gimli::{ColumnType, LineProgramHeader, UnitRef};
use lang::needs::SourceLine;

use super::image::Slice;
use super::units::Units;

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its code: of each unit of the program that has some, where it begins.
    Code(Vec<u64>),
    /// Several files of the source are meant.
    Ambiguous(Vec<String>),
    /// No file of the source is meant. These are some that there are.
    NoFile(Vec<String>),
    /// The file has no code there. Lines before and after that have some.
    NoCode(Option<u64>, Option<u64>),
}

/// How many names a message has room for.
const SOME: usize = 4;

/// Where the code of a line begins; `is_code` tells the addresses of code that is really there, since linkers leave lines of
/// functions that they dropped.
pub fn find(units: &Units<'_>, wanted: &SourceLine, is_code: impl Fn(u64) -> bool) -> Found {
    let mut search = Search { wanted, meant: BTreeSet::new(), others: BTreeSet::new(), lines: BTreeSet::new() };
    let mut code = BTreeMap::new();
    for id in units.ids() {
        let Some(parsed) = units.glance(id) else { continue };
        let unit = parsed.read(units.dwarf());
        if let Some(address) = search.unit(&unit, &is_code) {
            code.insert(id, address);
        }
    }
    if search.meant.is_empty() {
        return Found::NoFile(search.others.into_iter().take(SOME).collect());
    }
    if search.meant.len() > 1 {
        return Found::Ambiguous(search.meant.into_iter().take(SOME).collect());
    }
    if code.is_empty() {
        let before = search.lines.range(..wanted.line).next_back().copied();
        return Found::NoCode(before, search.lines.range(wanted.line..).next().copied());
    }
    let addresses: BTreeSet<u64> = code.into_values().collect();
    Found::Code(addresses.into_iter().collect())
}

struct Search<'w> {
    wanted: &'w SourceLine,
    /// The files that are meant.
    meant: BTreeSet<String>,
    /// Files that the units are made of, by their names.
    others: BTreeSet<String>,
    /// Lines of the file that have code.
    lines: BTreeSet<u64>,
}

impl Search<'_> {
    /// Where the line's code begins in a unit. What is corrupt there has none.
    fn unit(&mut self, unit: &UnitRef<'_, Slice<'_>>, is_code: &impl Fn(u64) -> bool) -> Option<u64> {
        let program = unit.line_program.clone()?;
        let header = program.header();
        let first = if header.version() >= 5 { 0 } else { 1 };
        let count = header.file_names().len() as u64;
        let mut here = BTreeSet::new();
        for index in first..first + count {
            let Some(path) = path(unit, header, index) else { continue };
            if ends_with(&path, &self.wanted.file) {
                self.meant.insert(path);
                here.insert(index);
            } else if index == 1 {
                self.others.insert(path.rsplit('/').next().unwrap_or_default().to_owned());
            }
        }
        if here.is_empty() {
            return None;
        }
        let (mut start, mut inside) = (None, None);
        let mut rows = program.rows();
        while let Ok(Some((_, row))) = rows.next_row() {
            let Some(line) = row.line().filter(|_| here.contains(&row.file_index()) && !row.end_sequence()) else {
                continue;
            };
            if !is_code(row.address()) {
                continue;
            }
            self.lines.insert(line.get());
            let column = match row.column() {
                ColumnType::LeftEdge => 0,
                ColumnType::Column(column) => column.get(),
            };
            if line.get() != self.wanted.line || (self.wanted.column != 0 && self.wanted.column != column) {
                continue;
            }
            let first = if row.is_stmt() { &mut start } else { &mut inside };
            first.get_or_insert(row.address());
        }
        start.or(inside)
    }
}

/// The path of a file of a unit's line table.
fn path<'a>(unit: &UnitRef<'_, Slice<'a>>, header: &LineProgramHeader<Slice<'a>>, index: u64) -> Option<String> {
    let file = header.file(index)?;
    let text = |value| unit.attr_string(value).ok().map(|text| text.to_string_lossy().into_owned());
    let name = text(file.path_name())?;
    if name.starts_with('/') {
        return Some(plain(&name));
    }
    let mut folder = file.directory(header).and_then(text).unwrap_or_default();
    if !folder.starts_with('/')
        && let Some(root) = unit.comp_dir
    {
        folder = format!("{}/{folder}", root.to_string_lossy());
    }
    Some(plain(&format!("{folder}/{name}")))
}

/// A path without `.` and without `..`, so that one file has one.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// Whether a path ends with another, in whole parts.
fn ends_with(path: &str, wanted: &str) -> bool {
    let wanted = plain(wanted);
    match wanted.starts_with('/') {
        true => path == wanted,
        false => path.strip_suffix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_meant_by_the_end_of_its_path_in_whole_parts() {
        assert!(ends_with("/src/app/main.c", "main.c"));
        assert!(ends_with("/src/app/main.c", "app/main.c"));
        assert!(ends_with("/src/app/main.c", "./main.c"));
        assert!(ends_with("/src/app/main.c", "/src/app/main.c"));
        assert!(!ends_with("/src/app/domain.c", "main.c"));
        assert!(!ends_with("/src/app/main.c", "/app/main.c"));
    }

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        assert_eq!(plain("/src/./app/../lib//x.c"), "/src/lib/x.c");
        assert_eq!(plain("../x.c"), "../x.c");
    }
}
