//! Values in memory: writing, copying, comparing bytes.
//!
//! Places are aligned as their offset is, on bases that are aligned to 8 bytes; accesses are as wide as that allows, since the
//! kernel's verifier insists on it for the stack and for contexts.

use bpf::helper::Helper;
use report::raw;

use super::Lowerer;
use crate::hir::{Expr, ExprKind, Intrinsic, Lower};
use crate::ir::{Base, Operand, VReg, Width};
use crate::types::{Space, Ty, offsets};

/// Bytes from which on a helper moves memory faster, and in less code, than words do.
const MANY: u32 = 128;

/// Where bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// A slot or an address, aligned to 8 bytes.
    pub base: Base,
    /// Bytes from there.
    pub offset: i32,
}

/// What follows a string's NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Zeros: the bytes are compared, hashed or kept.
    Zeros,
    /// Anything: the bytes are only read up to the NUL.
    Any,
}

impl Place {
    /// The place `bytes` further on.
    #[must_use]
    pub fn at(self, bytes: u32) -> Self {
        Self { base: self.base, offset: self.offset.saturating_add_unsigned(bytes) }
    }

    /// The widest access that is aligned `at` bytes further on and not longer than `left`.
    fn widest(self, at: u32, left: u32) -> Width {
        let offset = self.offset.unsigned_abs() + at;
        [Width::B8, Width::B4, Width::B2]
            .into_iter()
            .find(|w| offset.is_multiple_of(w.bytes()) && w.bytes() <= left)
            .unwrap_or(Width::B1)
    }
}

impl From<VReg> for Place {
    fn from(register: VReg) -> Self {
        Self { base: Base::Reg(register), offset: 0 }
    }
}

impl Lowerer<'_> {
    /// The address of a place.
    pub fn address(&mut self, place: Place) -> VReg {
        match place.base {
            Base::Slot(slot) => self.b.slot_addr(slot, place.offset),
            Base::Reg(register) if place.offset == 0 => register,
            Base::Reg(register) => self.b.add(register, i64::from(place.offset)),
        }
    }

    /// Loads a scalar from a place.
    pub fn load(&mut self, place: Place, ty: &Ty) -> VReg {
        let width = Width::from_bytes(ty.layout().size).unwrap_or(Width::B8);
        self.b.load(place.base, place.offset, width, ty.is_signed())
    }

    /// Stores a scalar to a place.
    pub fn store(&mut self, place: Place, ty: &Ty, value: impl Into<Operand>) {
        let width = Width::from_bytes(ty.layout().size).unwrap_or(Width::B8);
        self.b.store(place.base, place.offset, width, value);
    }

    /// Writes zeros.
    pub fn zero(&mut self, place: Place, bytes: u32) {
        if bytes > MANY {
            // The kernel clears what it cannot read from address 0; that is one call instead of a store for each word.
            let to = self.address(place);
            let (len, from) = (Operand::Imm(i64::from(bytes)), Operand::Imm(0));
            return self.b.call_void(Helper::ProbeReadKernel, &[to.into(), len, from]);
        }
        let mut at = 0;
        while at < bytes {
            let width = place.widest(at, bytes - at);
            self.b.store(place.base, place.at(at).offset, width, 0);
            at += width.bytes();
        }
    }

    /// Copies bytes from one place to another; they do not overlap.
    pub fn copy(&mut self, from: Place, to: Place, bytes: u32) {
        if bytes > MANY {
            let (to, from) = (self.address(to), self.address(from));
            let len = Operand::Imm(i64::from(bytes));
            return self.b.call_void(Helper::ProbeReadKernel, &[to.into(), len, from.into()]);
        }
        let mut at = 0;
        while at < bytes {
            let width = from.widest(at, bytes - at).min(to.widest(at, bytes - at));
            let word = self.b.load(from.base, from.at(at).offset, width, false);
            self.b.store(to.base, to.at(at).offset, width, word);
            at += width.bytes();
        }
    }

    /// Writes constant text with its NUL, cut to `size` bytes.
    pub fn write_text(&mut self, text: &str, to: Place, size: u32, fill: Fill) {
        let room = size.next_multiple_of(8);
        let mut bytes = raw::bytes(text).into_owned();
        // A string ends at its NUL, whatever the script writes behind it.
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        bytes.truncate(end.min(size as usize));
        let used = (bytes.len() as u32 + 1).next_multiple_of(8).min(room);
        bytes.resize(room as usize, 0);
        let end = if fill == Fill::Zeros && room <= MANY { room } else { used };
        let mut at = 0;
        while at < end {
            let width = to.widest(at, end - at);
            let chunk = bytes.get(at as usize..(at + width.bytes()) as usize).unwrap_or_default();
            let word = chunk.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            self.b.store(to.base, to.at(at).offset, width, word as i64);
            at += width.bytes();
        }
        if fill == Fill::Zeros && end < room {
            self.zero(to.at(end), room - end);
        }
    }

    /// Writes constant bytes, and zeros behind them up to `size`.
    pub fn write_bytes(&mut self, bytes: &[u8], to: Place, size: u32) {
        let mut at = 0;
        while at < size {
            let width = to.widest(at, size - at);
            let end = at + width.bytes();
            let word = (at..end)
                .rev()
                .fold(0u64, |word, index| word << 8 | u64::from(bytes.get(index as usize).copied().unwrap_or(0)));
            self.b.store(to.base, to.at(at).offset, width, word as i64);
            at = end;
        }
    }

    /// Writes an expression's value as one of type `ty`, which may be wider than its own.
    pub fn write(&mut self, e: &Expr, to: Place, ty: &Ty, fill: Fill) {
        if ty.is_scalar() {
            let value = self.scalar(e);
            return self.store(to, ty, value);
        }
        match &e.kind {
            ExprKind::Str(text) => self.write_text(text, to, ty.size_in_c(), fill),
            // What a node that knows too little leaves open is empty.
            ExprKind::Int(_) | ExprKind::Poison | ExprKind::Aggregate(_) => self.zero(to, ty.layout().size),
            ExprKind::Tuple(items) if in_same_order(&e.ty, ty) => self.write_components(items, to, ty, fill),
            ExprKind::Tuple(items) => {
                let own = self.temp(e.ty.layout().size);
                self.write_components(items, own, &e.ty, Fill::Zeros);
                self.convert(own, &e.ty, to, ty, fill);
            }
            ExprKind::Ternary { condition, then, otherwise } => {
                let (yes, no, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
                self.branch(condition, yes, no);
                self.b.switch_to(yes);
                self.write(then, to, ty, fill);
                self.b.jump(done);
                self.b.switch_to(no);
                self.write(otherwise, to, ty, fill);
                self.b.jump(done);
                self.b.switch_to(done);
            }
            ExprKind::Block { stmts, value } => {
                for stmt in stmts {
                    self.stmt(stmt);
                }
                self.write(value, to, ty, fill);
            }
            ExprKind::Memory { address, offset, space, .. } => {
                let size = e.ty.size_in_c().min(ty.size_in_c());
                let address = self.address_at(address, *offset);
                match ty {
                    Ty::Str { size: room } if *room < e.ty.size_in_c() => {
                        self.read_string(to, size, address, *space, fill);
                    }
                    Ty::Str { .. } => self.read_characters(to, size, address, *space, fill),
                    _ => self.read_bytes(to, size, address, *space),
                }
                self.end_text(to, size, ty, fill);
                self.fill_up(to, size, ty, fill);
            }
            ExprKind::Part { base, offset, .. } => self.write_part(base, *offset, &e.ty, to, ty, fill),
            ExprKind::Element { base, index } if index.constant().is_none() => {
                let size = e.ty.size_in_c();
                let from = self.element_address(base, index, &e.ty);
                self.read_bytes(to, size, Operand::Reg(from), Space::Kernel);
                self.pad(to, size, ty.layout().size, fill);
            }
            ExprKind::Cast(operand) if operand.ty.is_scalar() => {
                let value = self.scalar(operand);
                let place = self.temp(8);
                self.b.store(place.base, place.offset, Width::B8, value);
                self.copy(place, to, ty.layout().size.min(8));
            }
            ExprKind::Cast(operand) if matches!(operand.ty, Ty::Tuple(_) | Ty::Record(_)) => {
                let from = self.place(operand);
                self.convert(from, &operand.ty, to, ty, fill);
            }
            ExprKind::Cast(operand) => {
                let from = self.place(operand);
                let size = operand.ty.layout().size.min(ty.layout().size);
                self.copy(from, to, size);
                self.pad(to, size, ty.layout().size, fill);
            }
            ExprKind::Context { offset } => self.write_context(*offset, e, to, ty, fill),
            ExprKind::Intrinsic(Intrinsic { lower: Lower::Memory(lower), .. }) => {
                lower(self, to, fill);
                self.fill_up(to, e.ty.layout().size, ty, fill);
            }
            _ => {
                let from = self.place(e);
                self.convert(from, &e.ty, to, ty, fill);
            }
        }
    }

    fn write_components(&mut self, items: &[Expr], to: Place, ty: &Ty, fill: Fill) {
        let types = component_types(ty);
        let mut end = 0;
        for ((item, ty), (offset, layout)) in items.iter().zip(&types).zip(offsets(types.iter())) {
            self.pad(to, end, offset, fill);
            self.write(item, to.at(offset), ty, fill);
            end = offset + layout.size;
        }
        self.pad(to, end, ty.layout().size, fill);
    }

    pub(super) fn pad(&mut self, place: Place, from: u32, to: u32, fill: Fill) {
        if fill == Fill::Zeros && from < to {
            self.zero(place.at(from), to - from);
        }
    }

    /// The NUL of characters that need not have one of their own, where their type has room for it.
    pub(super) fn end_text(&mut self, to: Place, written: u32, ty: &Ty, fill: Fill) {
        if matches!(ty, Ty::Str { size } if written < *size) && fill == Fill::Any {
            self.b.store(to.base, to.at(written).offset, Width::B1, 0);
        }
    }

    /// Zeros behind a value that is shorter than its type.
    fn fill_up(&mut self, to: Place, written: u32, ty: &Ty, fill: Fill) {
        self.pad(to, written.next_multiple_of(8), ty.layout().size, fill);
    }

    /// Copies a value in memory as one of a type that may be wider.
    pub fn convert(&mut self, from: Place, from_ty: &Ty, to: Place, ty: &Ty, fill: Fill) {
        if from_ty == ty {
            return self.copy(from, to, ty.layout().size);
        }
        match (from_ty, ty) {
            (Ty::Str { size }, Ty::Str { size: wanted }) => {
                let bytes = size.next_multiple_of(8).min(wanted.next_multiple_of(8));
                self.copy(from, to, bytes);
                self.fill_up(to, bytes, ty, fill);
            }
            (Ty::Tuple(_) | Ty::Record(_), Ty::Tuple(_) | Ty::Record(_)) => {
                let (from_types, types) = (component_types(from_ty), component_types(ty));
                let from_offsets = offsets(from_types.iter());
                let mut end = 0;
                for (index, (offset, layout)) in offsets(types.iter()).into_iter().enumerate() {
                    let old = counterpart(from_ty, ty, index);
                    let (Some(old), Some(new), Some((old_offset, _))) =
                        (from_types.get(old), types.get(index), from_offsets.get(old))
                    else {
                        continue;
                    };
                    self.pad(to, end, offset, fill);
                    self.convert(from.at(*old_offset), old, to.at(offset), new, fill);
                    end = offset + layout.size;
                }
                self.pad(to, end, ty.layout().size, fill);
            }
            (from_ty, ty) if from_ty.is_scalar() && ty.is_scalar() => {
                let value = self.load(from, from_ty);
                self.store(to, ty, value);
            }
            _ => self.copy(from, to, from_ty.layout().size.min(ty.layout().size)),
        }
    }

    /// Where the bytes of a value are; they are written to working memory where they are nowhere yet.
    pub fn place(&mut self, e: &Expr) -> Place {
        match &e.kind {
            ExprKind::Var(var) => {
                return self.variable_place(*var).unwrap_or_else(|| {
                    let place = self.temp(e.ty.layout().size);
                    let value = self.scalar(e);
                    self.store(place, &e.ty, value);
                    place
                });
            }
            ExprKind::Map { map, key } => return self.map_place(*map, key.as_deref()),
            ExprKind::Component { base, index } => {
                let types = component_types(&base.ty);
                let offset = offsets(types.iter()).get(*index).map_or(0, |(offset, _)| *offset);
                return self.place(base).at(offset);
            }
            ExprKind::Element { base, index } => {
                let at = index.constant().and_then(|i| u32::try_from(i).ok()).unwrap_or(0);
                let size = base.ty.element_size();
                return self.place(base).at(at.saturating_mul(size));
            }
            _ => {}
        }
        let place = self.temp(e.ty.layout().size);
        self.write(e, place, &e.ty, Fill::Zeros);
        place
    }
}

/// Where a type has what another has as component `index`: by its name where both have names.
fn counterpart(of: &Ty, other: &Ty, index: usize) -> usize {
    let (Ty::Record(of), Ty::Record(other)) = (of, other) else { return index };
    let name = other.get(index).map(|(name, _)| name);
    of.iter().position(|(own, _)| Some(own) == name).unwrap_or(index)
}

fn in_same_order(own: &Ty, wanted: &Ty) -> bool {
    (0..component_types(wanted).len()).all(|index| counterpart(own, wanted, index) == index)
}

/// The types of the components of a tuple or record.
pub fn component_types(ty: &Ty) -> Vec<Ty> {
    match ty {
        Ty::Tuple(items) => items.to_vec(),
        Ty::Record(items) => items.iter().map(|(_, ty)| ty.clone()).collect(),
        _ => vec![],
    }
}
