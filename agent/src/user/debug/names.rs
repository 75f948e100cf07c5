//! Types by their names: a walk through the units, those that are named first, until each name is found once.

use std::collections::{BTreeMap, BTreeSet};

use gimli::{Section, constants as dw};
use memchr::memmem;

use super::types::NAMED;
use super::units::{At, UnitId, Units};

/// Where types of these names are described, each once; `near` are units to look into first.
pub fn find(units: &Units<'_>, names: &BTreeSet<String>, near: &[UnitId]) -> Vec<At> {
    let mut left: BTreeSet<&str> =
        names.iter().map(String::as_str).filter(|name| !name.is_empty() && is_anywhere(units, name)).collect();
    let mut found = BTreeMap::new();
    for id in near.iter().copied().chain(units.ids()) {
        if left.is_empty() {
            break;
        }
        look(units, id, &left, &mut found);
        left.retain(|name| !found.contains_key(*name));
    }
    found.into_values().collect()
}

/// Whether a name stands in any of the sections that hold names: a walk costs much more than that.
fn is_anywhere(units: &Units<'_>, name: &str) -> bool {
    let dwarf = units.dwarf();
    let text: Vec<u8> = name.bytes().chain([0]).collect();
    let finder = memmem::Finder::new(&text);
    let sections = [dwarf.debug_str.reader(), dwarf.debug_info.reader(), dwarf.debug_types.reader()];
    sections.iter().any(|section| finder.find(section.slice()).is_some())
}

fn look(units: &Units<'_>, id: UnitId, names: &BTreeSet<&str>, found: &mut BTreeMap<String, At>) {
    let Some(parsed) = units.glance(id) else { return };
    let unit = parsed.read(units.dwarf());
    parsed.scan(&NAMED, |offset, _, attributes| {
        if attributes.iter().any(|attribute| attribute.name() == dw::DW_AT_declaration) {
            return;
        }
        let name = attributes.iter().find(|attribute| attribute.name() == dw::DW_AT_name);
        let Some(name) = name.and_then(|name| unit.attr_string(name.value()).ok()) else { return };
        if let Ok(name) = std::str::from_utf8(name.slice())
            && names.contains(name)
        {
            found.entry(name.to_owned()).or_insert(At { unit: id, offset });
        }
    });
}
