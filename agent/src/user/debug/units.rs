//! Units of debug information: found by the code they are about, by a reference, or all in a row; parsed when they are looked into.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use gimli::{
    Attribute, AttributeValue, DebugInfoOffset, DebugTypeSignature, DebuggingInformationEntry, DwAt, Dwarf, Unit,
    UnitHeader, UnitOffset, UnitRef, UnitType, constants as dw,
};

use super::image::Slice;

/// An entry of debug information.
pub type Entry<'a> = DebuggingInformationEntry<Slice<'a>>;

/// The longest chain of references followed.
const HOPS: usize = 8;

/// The number of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitId(pub usize);

/// An entry: its unit and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    /// The unit.
    pub unit: UnitId,
    /// Bytes from the unit's start.
    pub offset: UnitOffset,
}

/// Every unit of a file.
pub struct Units<'a> {
    dwarf: Dwarf<Slice<'a>>,
    headers: Vec<UnitHeader<Slice<'a>>>,
    /// Where each type with a signature is described.
    signatures: HashMap<DebugTypeSignature, At>,
    parsed: RefCell<HashMap<UnitId, Rc<Parsed<'a>>>>,
}

/// A unit that is looked into.
pub struct Parsed<'a> {
    unit: Unit<Slice<'a>>,
}

impl<'a> Units<'a> {
    /// Lists the units.
    pub fn of(dwarf: Dwarf<Slice<'a>>) -> Self {
        let mut headers = Vec::new();
        let mut units = dwarf.units();
        while let Ok(Some(header)) = units.next() {
            headers.push(header);
        }
        let mut types = dwarf.type_units();
        while let Ok(Some(header)) = types.next() {
            headers.push(header);
        }
        let mut signatures = HashMap::new();
        for (index, header) in headers.iter().enumerate() {
            if let UnitType::Type { type_signature, type_offset }
            | UnitType::SplitType { type_signature, type_offset } = header.type_()
            {
                signatures.entry(type_signature).or_insert(At { unit: UnitId(index), offset: type_offset });
            }
        }
        Self { dwarf, headers, signatures, parsed: RefCell::default() }
    }

    /// How to name every unit.
    pub fn ids(&self) -> impl Iterator<Item = UnitId> + use<> {
        (0..self.headers.len()).map(UnitId)
    }

    /// The sections.
    pub fn dwarf(&self) -> &Dwarf<Slice<'a>> {
        &self.dwarf
    }

    /// A unit, to be looked into; `None` where it is corrupt.
    pub fn get(&self, id: UnitId) -> Option<Rc<Parsed<'a>>> {
        if let Some(parsed) = self.parsed.borrow().get(&id) {
            return Some(parsed.clone());
        }
        let header = self.headers.get(id.0)?;
        let parsed = Rc::new(Parsed { unit: self.dwarf.unit(*header).ok()? });
        self.parsed.borrow_mut().insert(id, parsed.clone());
        Some(parsed)
    }

    /// As [`Units::get`], without keeping it: for a look at many.
    pub fn glance(&self, id: UnitId) -> Option<Rc<Parsed<'a>>> {
        if let Some(parsed) = self.parsed.borrow().get(&id) {
            return Some(parsed.clone());
        }
        let header = self.headers.get(id.0)?;
        Some(Rc::new(Parsed { unit: self.dwarf.unit(*header).ok()? }))
    }

    /// An entry.
    pub fn entry(&self, at: At) -> Option<Entry<'a>> {
        self.get(at.unit)?.unit.entry(at.offset).ok()
    }

    /// The entries directly below another.
    pub fn children(&self, at: At) -> Vec<(At, Entry<'a>)> {
        let Some(parsed) = self.get(at.unit) else { return vec![] };
        let mut found = Vec::new();
        // What is corrupt ends the list.
        let mut collect = || -> gimli::Result<()> {
            let mut tree = parsed.unit.entries_tree(Some(at.offset))?;
            let mut children = tree.root()?.children();
            while let Some(child) = children.next()? {
                let entry = child.entry().clone();
                found.push((At { unit: at.unit, offset: entry.offset() }, entry));
            }
            Ok(())
        };
        let _ = collect();
        found
    }

    /// The entry an attribute of one in `unit` refers to.
    pub fn referred(&self, unit: UnitId, value: AttributeValue<Slice<'a>>) -> Option<At> {
        match value {
            AttributeValue::UnitRef(offset) => Some(At { unit, offset }),
            AttributeValue::DebugInfoRef(offset) => self.at(offset),
            AttributeValue::DebugTypesRef(signature) => self.signatures.get(&signature).copied(),
            _ => None,
        }
    }

    fn at(&self, offset: DebugInfoOffset) -> Option<At> {
        let of_info = |header: &UnitHeader<Slice<'a>>| header.debug_info_offset();
        // Type units of another section come last.
        let infos = self.headers.partition_point(|header| of_info(header).is_some());
        let after = self.headers.get(..infos)?.partition_point(|header| of_info(header).is_some_and(|o| o <= offset));
        let index = after.checked_sub(1)?;
        let offset = offset.to_unit_offset(self.headers.get(index)?)?;
        Some(At { unit: UnitId(index), offset })
    }

    /// An attribute of an entry or of what it is a case of, with the unit that its value is to be read in.
    pub fn inherited(&self, at: At, wanted: DwAt) -> Option<(UnitId, AttributeValue<Slice<'a>>)> {
        let mut at = at;
        for _ in 0..HOPS {
            let entry = self.entry(at)?;
            if let Some(value) = entry.attr_value(wanted) {
                return Some((at.unit, value));
            }
            let origin =
                entry.attr_value(dw::DW_AT_abstract_origin).or_else(|| entry.attr_value(dw::DW_AT_specification));
            at = self.referred(at.unit, origin?)?;
        }
        None
    }

    /// The name of an entry or of what it is a case of.
    pub fn name(&self, at: At) -> Option<String> {
        let (unit, value) = self.inherited(at, dw::DW_AT_name)?;
        let parsed = self.get(unit)?;
        let text = parsed.read(&self.dwarf).attr_string(value).ok()?;
        Some(text.to_string_lossy().into_owned())
    }

    /// The type of an entry or of what it is a case of.
    pub fn type_of(&self, at: At) -> Option<At> {
        let (unit, value) = self.inherited(at, dw::DW_AT_type)?;
        self.referred(unit, value)
    }

    /// The units that hold the code at these addresses, each address with its unit.
    pub fn about(&self, addresses: &HashSet<u64>) -> Vec<(u64, UnitId)> {
        let mut found = Vec::new();
        let mut listed = HashSet::new();
        let mut headers = self.dwarf.debug_aranges.headers();
        while let Ok(Some(header)) = headers.next() {
            let Some(At { unit, .. }) = self.at(header.debug_info_offset()) else { continue };
            let mut ranges = header.entries();
            let mut any = false;
            while let Ok(Some(entry)) = ranges.next() {
                any = true;
                let range = entry.range();
                found.extend(addresses.iter().filter(|a| (range.begin..range.end).contains(a)).map(|a| (*a, unit)));
            }
            if any {
                listed.insert(unit);
            }
        }
        let left: Vec<u64> =
            addresses.iter().copied().filter(|address| found.iter().all(|(known, _)| known != address)).collect();
        if left.is_empty() {
            return found;
        }
        // Not every compiler writes that table.
        for id in self.ids().filter(|id| !listed.contains(id)) {
            let Some(parsed) = self.glance(id) else { continue };
            let Ok(mut ranges) = parsed.read(&self.dwarf).unit_ranges() else { continue };
            while let Ok(Some(range)) = ranges.next() {
                found.extend(left.iter().filter(|a| (range.begin..range.end).contains(a)).map(|a| (*a, id)));
            }
        }
        found
    }
}

impl<'a> Parsed<'a> {
    /// The unit with the sections it refers to.
    pub fn read<'r>(&'r self, dwarf: &'r Dwarf<Slice<'a>>) -> UnitRef<'r, Slice<'a>> {
        UnitRef::new(dwarf, &self.unit)
    }

    /// Visits every entry whose tag is wanted, with those of its attributes; what is corrupt ends the visit.
    pub fn scan(
        &self,
        wanted: &[gimli::DwTag],
        mut visit: impl FnMut(UnitOffset, gimli::DwTag, &[Attribute<Slice<'a>>]),
    ) {
        let mut attributes = Vec::new();
        let mut walk = || -> gimli::Result<()> {
            let mut entries = self.unit.entries_raw(None)?;
            while !entries.is_empty() {
                let offset = entries.next_offset();
                let Some(abbreviation) = entries.read_abbreviation()? else { continue };
                if !wanted.contains(&abbreviation.tag()) {
                    entries.skip_attributes(abbreviation.attributes())?;
                    continue;
                }
                attributes.clear();
                for spec in abbreviation.attributes() {
                    attributes.push(entries.read_attribute(*spec)?);
                }
                visit(offset, abbreviation.tag(), &attributes);
            }
            Ok(())
        };
        let _ = walk();
    }
}
