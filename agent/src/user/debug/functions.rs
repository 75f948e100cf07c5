//! Functions: their entries in the debug information, by where their code begins.

use std::collections::{HashMap, HashSet};

use gimli::{Attribute, AttributeValue, UnitRef, constants as dw};

use super::image::Slice;
use super::units::{At, UnitId, Units};

/// The entries of the functions that begin at these addresses.
pub fn at(units: &Units<'_>, addresses: &HashSet<u64>) -> HashMap<u64, At> {
    let mut found = HashMap::new();
    let ids: HashSet<UnitId> = units.about(addresses).into_iter().map(|(_, id)| id).collect();
    for id in ids {
        let Some(parsed) = units.get(id) else { continue };
        let unit = parsed.read(units.dwarf());
        parsed.scan(&[dw::DW_TAG_subprogram], |offset, _, attributes| {
            if let Some(address) = entry_address(&unit, attributes).filter(|address| addresses.contains(address)) {
                found.entry(address).or_insert(At { unit: id, offset });
            }
        });
    }
    // Where the compiler changed how a function is called, its parameters say nothing about registers.
    found.retain(|_, at| {
        let called = units.inherited(*at, dw::DW_AT_calling_convention);
        !matches!(called, Some((_, AttributeValue::CallingConvention(dw::DW_CC_nocall))))
    });
    found
}

/// Where a function's code begins: its own address, or that of the first of its parts.
fn entry_address<'a>(unit: &UnitRef<'_, Slice<'a>>, attributes: &[Attribute<Slice<'a>>]) -> Option<u64> {
    let value = |name| attributes.iter().find(|attribute| attribute.name() == name).map(Attribute::value);
    let low = value(dw::DW_AT_low_pc).or_else(|| value(dw::DW_AT_entry_pc));
    if let Some(address) = low.and_then(|value| unit.attr_address(value).ok().flatten()) {
        return Some(address);
    }
    let mut ranges = unit.attr_ranges(value(dw::DW_AT_ranges)?).ok()??;
    Some(ranges.next().ok()??.begin)
}
