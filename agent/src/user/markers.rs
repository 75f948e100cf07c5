//! Static markers by the notes that describe them. Source of the form: systemtap's sys/sdt.h.

use std::io;
use std::path::Path;

use lang::target::Marker;
use object::elf::PF_X;
use object::{Object, ObjectSection, ObjectSymbol};

use super::elf::{Elf, ElfSymbol, offset_of, with_elf};

/// Bytes of a note before its name, and of the three addresses a marker's note starts with.
const NOTE_HEADER: usize = 12;
const ADDRESSES: usize = 24;
/// The kind of note that describes a marker, and its owner.
const MARKER_NOTE: u32 = 3;
const MARKER_OWNER: &[u8] = b"stapsdt\0";
/// What an argument ends with on x86-64 that lies at a distance from the instruction: `total+8(%rip)`.
const AT_A_DISTANCE: &str = "(%rip)";

/// Every static marker of the file, in the order of its notes.
///
/// # Errors
/// Where the file cannot be read. One that is not ELF has no markers.
pub fn markers(path: &Path) -> io::Result<Vec<Marker>> {
    let found = with_elf(path, |elf| {
        // Tools that move code after linking move this section too, but not the addresses in the notes.
        let base = elf.section_by_name(".stapsdt.base").map(|section| section.address());
        let notes = elf.sections().filter(|section| section.name() == Ok(".note.stapsdt"));
        let mut markers = Vec::new();
        for section in notes {
            markers.extend(section.data().map(|data| parse_notes(data, base, elf)).unwrap_or_default());
        }
        markers
    })?;
    Ok(found.unwrap_or_default())
}

fn parse_notes(mut data: &[u8], base: Option<u64>, elf: &Elf<'_>) -> Vec<Marker> {
    let mut markers = Vec::new();
    while let Some(note) = next_note(data) {
        data = note.rest;
        if note.kind == MARKER_NOTE && note.owner == MARKER_OWNER {
            markers.extend(marker(note.body, base, elf));
        }
    }
    markers
}

/// A note, and what follows it.
#[derive(Debug, PartialEq, Eq)]
struct Note<'a> {
    owner: &'a [u8],
    kind: u32,
    body: &'a [u8],
    rest: &'a [u8],
}

fn next_note(data: &[u8]) -> Option<Note<'_>> {
    let word = |at: usize| data.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let (owner_size, body_size, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
    let owner = data.get(NOTE_HEADER..NOTE_HEADER.checked_add(owner_size)?)?;
    let start = NOTE_HEADER + owner_size.checked_next_multiple_of(4)?;
    let body = data.get(start..start.checked_add(body_size)?)?;
    let rest = data.get(start + body_size.checked_next_multiple_of(4)?..).unwrap_or_default();
    Some(Note { owner, kind, body, rest })
}

fn marker(body: &[u8], base: Option<u64>, elf: &Elf<'_>) -> Option<Marker> {
    let address = |at: usize| body.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let (place, noted_base, semaphore) = (address(0)?, address(8)?, address(16)?);
    let moved = base.map_or(0, |base| base.wrapping_sub(noted_base));
    let mut texts = body.get(ADDRESSES..)?.split(|byte| *byte == 0);
    let mut text = || texts.next().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let (provider, name, arguments) = (text()?, text()?, text()?);
    let place = place.wrapping_add(moved);
    let offset = offset_of(elf, place, PF_X)?;
    let semaphore = match semaphore {
        0 => 0,
        address => offset_of(elf, address.wrapping_add(moved), 0)?,
    };
    let arguments = without_symbols(&arguments, place, |name| {
        let is_it = |symbol: &ElfSymbol<'_, '_>| symbol.is_definition() && symbol.name() == Ok(name);
        elf.symbols().chain(elf.dynamic_symbols()).find(is_it).map(|symbol| symbol.address())
    });
    Some(Marker { provider, name, offset, semaphore, arguments })
}

/// The arguments of a marker at `place`, where variables of the program are named by how far they are from the marker:
/// `-4@total+8(%rip)` becomes `-4@12296(%rip)`. A variable that `address` does not know stays, as something that cannot be read.
fn without_symbols(arguments: &str, place: u64, address: impl Fn(&str) -> Option<u64>) -> String {
    let settle = |argument: &str| {
        let (size, operand) = argument.split_once('@').unwrap_or(("8", argument));
        let (mut named, mut distance) = (None, 0_i64);
        // Terms are added up; the sign of a number stays with it.
        for term in operand.strip_suffix(AT_A_DISTANCE)?.replace('-', "+-").split('+').filter(|term| !term.is_empty()) {
            match term.parse::<i64>() {
                Ok(number) => distance = distance.wrapping_add(number),
                Err(_) => named = Some(address(term)?.wrapping_sub(place)),
            }
        }
        Some(format!("{size}@{}{AT_A_DISTANCE}", distance.wrapping_add_unsigned(named?)))
    };
    let words: Vec<String> = arguments.split(' ').map(|word| settle(word).unwrap_or_else(|| word.to_owned())).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_is_cut_off_ends_the_list() {
        let mut note = [8u32.to_le_bytes(), 4u32.to_le_bytes(), 3u32.to_le_bytes()].concat();
        note.extend(MARKER_OWNER);
        note.extend([1, 2, 3, 4]);
        assert_eq!(next_note(&note), Some(Note { owner: MARKER_OWNER, kind: 3, body: &[1, 2, 3, 4], rest: &[] }));
        assert!(next_note(&note[..note.len() - 1]).is_none());
        assert!(next_note(&[0xff; 12]).is_none());
    }

    #[test]
    fn a_variable_is_named_by_its_distance() {
        let settled = |arguments| without_symbols(arguments, 0x1000, |name| (name == "total").then_some(0x4000));
        assert_eq!(settled("-4@total(%rip) 8@%rdi"), "-4@12288(%rip) 8@%rdi");
        assert_eq!(settled("8@8+total(%rip) 8@total-8(%rip)"), "8@12296(%rip) 8@12280(%rip)");
        assert_eq!(settled("8@sum(%rip) 8@-16(%rbp) 8@[sp, 8]"), "8@sum(%rip) 8@-16(%rbp) 8@[sp, 8]");
        assert_eq!(settled(""), "");
    }
}
