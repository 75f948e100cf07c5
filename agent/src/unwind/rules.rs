//! What compilers leave for exceptions, and debuggers: from a file's `.eh_frame`, else its `.debug_frame`, to [`Rule`]s.
//!
//! Of all that those sections may say only what finds return addresses and frame pointers is kept. Corrupt ones tell less, or nothing.
//! Source of the form: the DWARF standard and the x86-64 psABI.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use gimli::{
    BaseAddresses, CfaRule, CieOrFde, CommonInformationEntry, DebugFrame, EhFrame, EndianSlice, LittleEndian, Reader,
    Register, RegisterRule, UnwindContext, UnwindExpression, UnwindSection, UnwindTableRow, X86_64,
};
use lang::unwinding::{Rule, Saved};
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection};

type Slice<'a> = EndianSlice<'a, LittleEndian>;
/// A file as it is read here.
pub type Elf<'data> = ElfFile64<'data, Endianness, &'data [u8]>;

/// More rules than any file has; what is beyond would take too much memory.
const MOST: usize = 4 << 20;

/// A rule and the addresses that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first.
    pub start: u64,
    /// The first behind it.
    pub end: u64,
    /// The rule, packed.
    pub rule: u32,
}

/// What a file says of its code, in the order of addresses. `debug_frame` is what that section comes to.
///
/// `None` where there is more than is kept.
pub fn of_elf(elf: &Elf<'_>, debug_frame: &[u8]) -> Option<Vec<Stretch>> {
    let address = |name: &str| elf.section_by_name(name).map_or(0, |section| section.address());
    let bases =
        BaseAddresses::default().set_eh_frame(address(".eh_frame")).set_text(address(".text")).set_got(address(".got"));
    let section = elf.section_by_name(".eh_frame");
    let bytes = section.and_then(|section| section.data().ok()).unwrap_or_default();
    let mut frames = EhFrame::new(bytes, LittleEndian);
    frames.set_address_size(8);
    let mut found = of_section(&frames, &bases)?;
    if found.is_empty() {
        let mut frames = DebugFrame::new(debug_frame, LittleEndian);
        frames.set_address_size(8);
        found = of_section(&frames, &bases)?;
    }
    found.sort_by_key(|stretch| stretch.start);
    Some(found)
}

fn of_section<'a, S>(section: &S, bases: &BaseAddresses) -> Option<Vec<Stretch>>
where
    S: UnwindSection<Slice<'a>>,
    S::Offset: Hash + Eq,
{
    let mut found = Vec::new();
    let mut context = UnwindContext::new();
    let mut shared: HashMap<S::Offset, CommonInformationEntry<Slice<'a>>> = HashMap::new();
    let mut entries = section.entries(bases);
    while let Ok(Some(entry)) = entries.next() {
        let CieOrFde::Fde(function) = entry else { continue };
        let function = function.parse(|section, bases, offset| match shared.entry(offset) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(new) => Ok(new.insert(section.cie_from_offset(bases, offset)?).clone()),
        });
        let Ok(function) = function else { continue };
        let signal = function.is_signal_trampoline();
        let Ok(mut rows) = function.rows(section, bases, &mut context) else { continue };
        while let Ok(Some(row)) = rows.next_row() {
            let (start, end) = (row.start_address(), row.end_address());
            if start < end {
                found.push(Stretch { start, end, rule: rule(row, section, signal).pack() });
            }
        }
        if found.len() > MOST {
            return None;
        }
    }
    Some(found)
}

/// The expressions that are met: what the register at hand is saved at, the frame behind the frame pointer, that of a signal.
const AT_BP: &[u8] = &[gimli::DW_OP_breg6.0, 0];
const SIGNAL_SP: &[u8] = &[gimli::DW_OP_breg7.0, 0xa0, 1, gimli::DW_OP_deref.0];

fn rule<'a, S: UnwindSection<Slice<'a>>>(row: &UnwindTableRow<usize>, section: &S, signal: bool) -> Rule {
    let expression = |at: &UnwindExpression<usize>| at.get(section).map_or(&[][..], |expression| expression.0.slice());
    match (row.register(X86_64::RA), row.cfa()) {
        (_, CfaRule::Expression(at)) if signal && expression(at) == SIGNAL_SP => Rule::Signal,
        (Some(RegisterRule::Undefined), _) => Rule::End,
        (Some(RegisterRule::Offset(-8)), CfaRule::RegisterAndOffset { register, offset }) => {
            saved(row).map_or(Rule::Unknown, |saved| by_register(*register, *offset, saved))
        }
        (Some(RegisterRule::Offset(-8)), CfaRule::Expression(at)) => {
            match (expression(at), row.register(X86_64::RBP)) {
                (kept, _) if behind_sp(kept).is_some() => {
                    behind_sp(kept).zip(saved(row)).map_or(Rule::Unknown, |(at, saved)| Rule::BehindSp(at, saved))
                }
                (plt, _) if linkage(plt).is_some() => linkage(plt).map_or(Rule::Unknown, Rule::Linkage),
                (frame, Some(RegisterRule::Expression(saved))) if expression(&saved) == AT_BP => behind_bp(frame),
                _ => Rule::Unknown,
            }
        }
        _ => Rule::Unknown,
    }
}

/// Where the frame pointer was saved; `None` where that is not followed.
fn saved(row: &UnwindTableRow<usize>) -> Option<Saved> {
    match row.register(X86_64::RBP) {
        None | Some(RegisterRule::Undefined | RegisterRule::SameValue) => Some(None),
        Some(RegisterRule::Offset(at)) => Some(Some(at.saturating_neg())),
        _ => None,
    }
}

fn by_register(register: Register, offset: i64, saved: Option<i64>) -> Rule {
    match register {
        X86_64::RSP => Rule::BySp(offset, saved),
        X86_64::RBP => Rule::ByBp(offset, saved),
        _ => Rule::Unknown,
    }
}

/// `rsp + 8 + ((rip & 15) >= n) * 8`, as linkers write it.
fn linkage(expression: &[u8]) -> Option<u8> {
    use gimli::{DW_OP_and, DW_OP_breg7, DW_OP_breg16, DW_OP_ge, DW_OP_lit3, DW_OP_lit15, DW_OP_plus, DW_OP_shl};
    let [sp, 8, ip, 0, mask, and, literal, ge, three, shl, plus] = *expression else { return None };
    let operators = [sp, ip, mask, and, ge, three, shl, plus];
    let expected = [DW_OP_breg7, DW_OP_breg16, DW_OP_lit15, DW_OP_and, DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus];
    let is_literal = (gimli::DW_OP_lit0.0..=DW_OP_lit15.0).contains(&literal);
    (operators == expected.map(|operator| operator.0) && is_literal).then(|| literal - gimli::DW_OP_lit0.0)
}

/// `*(rsp + n) + 8`, as code has it that was written by hand and aligns its stack.
fn behind_sp(expression: &[u8]) -> Option<i64> {
    let [register, number @ .., deref, plus, 8] = expression else { return None };
    let operators = [*register, *deref, *plus];
    let expected = [gimli::DW_OP_breg7, gimli::DW_OP_deref, gimli::DW_OP_plus_uconst];
    let mut number = Slice::new(number, LittleEndian);
    let at = number.read_sleb128().ok().filter(|_| number.is_empty())?;
    (operators == expected.map(|operator| operator.0)).then_some(at)
}

/// `*(rbp + n)`, as functions have it that align their stack.
fn behind_bp(expression: &[u8]) -> Rule {
    match *expression {
        // A number of seven bits, the highest of them its sign.
        [register, offset, deref]
            if register == gimli::DW_OP_breg6.0 && deref == gimli::DW_OP_deref.0 && offset < 0x80 =>
        {
            Rule::BehindBp(i64::from((offset << 1).cast_signed() >> 1))
        }
        _ => Rule::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_of_a_linkage_table_is_known_by_its_expression() {
        let expression = |literal| [0x77, 8, 0x80, 0, 0x3f, 0x1a, literal, 0x2a, 0x33, 0x24, 0x22];
        assert_eq!(linkage(&expression(0x3b)), Some(11));
        assert_eq!(linkage(&expression(0x39)), Some(9));
        assert_eq!(linkage(&expression(0x50)), None);
        assert_eq!(linkage(&[0x77, 8]), None);
    }

    #[test]
    fn a_frame_behind_the_frame_pointer_has_a_signed_distance() {
        assert_eq!(behind_bp(&[0x76, 0x78, 6]), Rule::BehindBp(-8));
        assert_eq!(behind_bp(&[0x76, 0x10, 6]), Rule::BehindBp(16));
        assert_eq!(behind_bp(&[0x76, 0x80, 6]), Rule::Unknown);
    }

    #[test]
    fn a_frame_behind_the_stack_pointer_has_a_distance_of_any_length() {
        assert_eq!(behind_sp(&[0x77, 0x80, 9, 6, 0x23, 8]), Some(1152));
        assert_eq!(behind_sp(&[0x77, 0x40, 6, 0x23, 8]), Some(-64));
        assert_eq!(behind_sp(&[0x77, 1, 1, 6, 0x23, 8]), None);
        assert_eq!(behind_sp(&[0x77, 0x80, 9, 6, 0x23, 16]), None);
        assert_eq!(behind_sp(&[0x77, 6, 0x23, 8]), None);
    }

    #[test]
    fn corrupt_sections_say_nothing() {
        let bytes: Vec<u8> = (0..=255).cycle().take(4096).collect();
        let mut frames = EhFrame::new(&bytes, LittleEndian);
        frames.set_address_size(8);
        assert_eq!(of_section(&frames, &BaseAddresses::default()).map(|found| found.len()), Some(0));
    }
}
