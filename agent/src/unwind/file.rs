//! A file's table: the words of its rules, and where in a process an address of its code is in it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use lang::unwinding::{self, Rule};
use object::elf::{PF_X, PT_LOAD};
use object::read::elf::ProgramHeader;

use super::process::{self, Code};
use super::rules::{self, Elf, Stretch};
use crate::user::Image;

/// What stacks are followed by in a file's code.
#[derive(Debug)]
pub struct Table {
    /// As programs read them.
    pub words: Vec<u64>,
    /// Where the code is in the file and in memory.
    pub layout: Layout,
}

/// Where a file's code is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The address that the table begins at, before the file is moved anywhere.
    base: u64,
    /// Its pieces of code: offsets in the file, bytes, addresses.
    pieces: Vec<(u64, u64, u64)>,
}

/// Bytes of a page of memory.
const PAGE: u64 = 4096;

impl Layout {
    fn of(elf: &Elf<'_>) -> Self {
        let endian = elf.endian();
        let code = elf
            .elf_program_headers()
            .iter()
            .filter(|part| part.p_type(endian) == PT_LOAD && part.p_flags(endian) & PF_X != 0);
        let piece = |part: &object::elf::ProgramHeader64<_>| {
            (part.p_offset(endian), part.p_memsz(endian), part.p_vaddr(endian))
        };
        let pieces: Vec<_> = code.map(piece).collect();
        let base = pieces.iter().map(|piece| piece.2).min().unwrap_or_default() & !(PAGE - 1);
        Self { base, pieces }
    }

    /// Bytes from the table's start to the end of all code, in whole pages.
    fn bytes(&self) -> u64 {
        let end = self.pieces.iter().map(|(_, size, address)| address.saturating_add(*size)).max();
        end.unwrap_or_default().saturating_sub(self.base).saturating_add(PAGE) & !(PAGE - 1)
    }

    /// What an address of a mapped piece of code is less within the table; `None` where the file has no code there.
    pub fn shift(&self, code: &Code) -> Option<u64> {
        let (offset, _, address) = self
            .pieces
            .iter()
            .find(|(offset, size, _)| (offset & !(PAGE - 1)..offset.saturating_add(*size)).contains(&code.offset))?;
        let mapped = address.wrapping_sub(*offset).wrapping_add(code.offset);
        Some(code.start.wrapping_sub(mapped).wrapping_add(self.base))
    }
}

/// The table of the file of a piece of code in a process.
///
/// `None` where the file says nothing of its code, or more than is kept.
///
/// # Errors
/// Where the file cannot be read.
pub fn table(pid: u32, code: &Code) -> io::Result<Option<Table>> {
    if code.is_vdso() {
        return vdso();
    }
    // What was mapped, also where the path leads elsewhere by now. That takes more privileges than the path.
    let mapped = format!("/proc/{pid}/map_files/{:x}-{:x}", code.start, code.end);
    let image = match Image::open(Path::new(&mapped)) {
        Ok(image) => image,
        Err(_) => Image::open(Path::new(&format!("/proc/{pid}/root{}", code.name)))?,
    };
    let Some(image) = image else { return Ok(None) };
    Ok(Elf::parse(image.contents()).ok().and_then(|elf| of_elf(&elf, image.bytes(".debug_frame"))))
}

/// The table of what the kernel gives to every process: it is the same in all of them, and this is one.
fn vdso() -> io::Result<Option<Table>> {
    let own = process::code(std::process::id())?;
    let Some(code) = own.iter().find(|code| code.is_vdso()) else { return Ok(None) };
    let mut bytes = vec![0; usize::try_from(code.end - code.start).map_err(io::Error::other)?];
    File::open("/proc/self/mem")?.read_exact_at(&mut bytes, code.start)?;
    Ok(Elf::parse(&*bytes).ok().and_then(|elf| of_elf(&elf, &[])))
}

fn of_elf(elf: &Elf<'_>, debug_frame: &[u8]) -> Option<Table> {
    let layout = Layout::of(elf);
    let stretches = rules::of_elf(elf, debug_frame).filter(|found| !found.is_empty())?;
    let words = unwinding::words(&starts(&stretches, &layout), layout.bytes())?;
    Some(Table { words, layout })
}

/// Where each rule begins within the table, those that nothing is known of among them.
fn starts(stretches: &[Stretch], layout: &Layout) -> Vec<(u32, u32)> {
    let unknown = Rule::Unknown.pack();
    let mut starts: Vec<(u32, u32)> = Vec::with_capacity(stretches.len());
    let mut end = 0;
    for stretch in stretches {
        let place = |address: u64| address.checked_sub(layout.base).and_then(|at| u32::try_from(at).ok());
        let (Some(from), Some(to)) = (place(stretch.start), place(stretch.end)) else { continue };
        if u64::from(to) > layout.bytes() {
            continue;
        }
        if end < from {
            push(&mut starts, (end, unknown));
        }
        push(&mut starts, (from, stretch.rule));
        end = end.max(to);
    }
    push(&mut starts, (end, unknown));
    starts
}

/// Adds a rule that is not the one before, and takes the place of one that begins where it does.
fn push(starts: &mut Vec<(u32, u32)>, rule: (u32, u32)) {
    if starts.last().is_some_and(|last| last.0 == rule.0) {
        starts.pop();
    }
    if starts.last().is_none_or(|last| last.1 != rule.1) {
        starts.push(rule);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_two_functions_is_unknown() {
        let layout = Layout { base: 0x1000, pieces: vec![(0x1000, 0x1000, 0x1000)] };
        let rule = |at: i64| Rule::BySp(at, None).pack();
        let stretch = |start, end, at| Stretch { start, end, rule: rule(at) };
        let stretches = [
            stretch(0x1000, 0x1001, 8),
            stretch(0x1001, 0x1010, 16),
            stretch(0x1010, 0x1014, 16),
            stretch(0x1020, 0x1030, 8),
            // Not of this file's code.
            stretch(0x9000, 0x9010, 8),
        ];
        let unknown = Rule::Unknown.pack();
        let expected = [(0, rule(8)), (1, rule(16)), (0x14, unknown), (0x20, rule(8)), (0x30, unknown)];
        assert_eq!(starts(&stretches, &layout), expected);
    }

    #[test]
    fn an_address_of_a_process_has_its_place_in_the_table() {
        let layout = Layout { base: 0x3000, pieces: vec![(0x2040, 0x1800, 0x3040)] };
        let code =
            |start, offset| Code { start, end: start + 0x2000, offset, file: (String::new(), 1), name: String::new() };
        assert_eq!(layout.shift(&code(0x7f00_0000, 0x2000)), Some(0x7f00_0000));
        assert_eq!(layout.shift(&code(0x7f00_0000, 0x3000)), Some(0x7eff_f000));
        assert_eq!(layout.shift(&code(0x7f00_0000, 0x8000)), None);
        assert_eq!(layout.bytes(), 0x2000);
    }

    #[test]
    fn this_program_and_the_kernels_own_code_have_tables() {
        let pid = std::process::id();
        let code = process::code(pid).expect("its code");
        let own = std::env::current_exe().expect("this program").display().to_string();
        for piece in code.iter().filter(|piece| piece.name == own || piece.is_vdso()) {
            let table = table(pid, piece).expect("a file").expect("its table");
            assert!(table.words.len() > 4 && table.layout.shift(piece).is_some(), "{piece:x?}");
        }
    }
}
