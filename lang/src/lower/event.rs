//! Events: records put into the ring buffer for user space to act upon.
//!
//! A record is reserved with its final size, written in place and submitted. When the buffer is full the event is counted as
//! lost and the program goes on.

use bpf::helper::Helper;
use report::schema::{CallSite, EventKind, Field, Part, PrintfTo};

use super::Lowerer;
use super::memory::{Fill, Place};
use super::resources::Lost;
use crate::hir::Expr;
use crate::ir::{Cmp, Operand, Width};
use crate::span::Span;
use crate::types::{Ty, offsets};

/// Bytes every record starts with: the event's number, and four zeros.
pub const HEADER: u32 = 8;

/// The values of a record and where they lie in it.
#[derive(Debug)]
pub struct Record {
    /// What each value is, as the reader of the record knows it.
    pub fields: Vec<Field>,
    /// Bytes of the whole record.
    pub size: u32,
    places: Vec<(u32, Ty)>,
}

impl Record {
    /// A record of these values, in order.
    pub fn of(values: &[Expr]) -> Self {
        let types: Vec<Ty> = values.iter().map(|value| value.ty.clone()).collect();
        let mut fields = vec![];
        let mut places = vec![];
        let mut end = HEADER;
        for (ty, (offset, layout)) in types.iter().zip(offsets(types.iter())) {
            // The header keeps the alignment of what follows it.
            let offset = offset + HEADER;
            fields.extend(ty.schema().map(|schema| Field { ty: schema, offset }));
            places.push((offset, ty.clone()));
            end = offset + layout.size;
        }
        Self { fields, size: end.next_multiple_of(8), places }
    }
}

impl Lowerer<'_> {
    /// Sends a record; `fill` writes what follows its header, at the offsets it has in the record.
    pub fn send(&mut self, kind: EventKind, size: u32, fill: impl FnOnce(&mut Self, Place)) {
        let event = self.resources.event(kind, size);
        let buffer = self.resources.events();
        let map = self.b.map_addr(buffer);
        let size = Operand::Imm(i64::from(size));
        let record = self.b.call(Helper::RingbufReserve, &[map.into(), size, Operand::Imm(0)]);
        let (reserved, full, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(Cmp::Ne, record, 0, reserved, full);

        self.b.switch_to(full);
        self.count_lost(Lost::Event);
        self.b.jump(done);

        self.b.switch_to(reserved);
        self.b.store(record, 0, Width::B8, i64::from(event.0));
        fill(self, record.into());
        self.b.call_void(Helper::RingbufSubmit, &[record.into(), Operand::Imm(0)]);
        self.b.jump(done);
        self.b.switch_to(done);
    }

    /// Sends a record of values. Those that take more than a register, and so may need a helper to be read, are written into the
    /// record; the others are computed before it is reserved.
    pub fn send_values(&mut self, values: &[Expr], kind: impl FnOnce(Vec<Field>) -> EventKind) {
        let record = Record::of(values);
        let scalars: Vec<Option<Operand>> =
            values.iter().map(|value| value.ty.is_scalar().then(|| self.scalar(value))).collect();
        self.send(kind(record.fields), record.size, |lowerer, at| {
            for ((value, scalar), (offset, ty)) in values.iter().zip(scalars).zip(&record.places) {
                match scalar {
                    Some(scalar) => lowerer.store(at.at(*offset), ty, scalar),
                    None => lowerer.write(value, at.at(*offset), ty, Fill::Any),
                }
            }
        });
    }

    /// Says that a helper failed at what the code at hand is for.
    pub(super) fn tell_failure(&mut self, helper: Helper, code: Operand, message: &str) {
        let (helper, message) = (helper.name().to_owned(), message.to_owned());
        let at = self.behind_parenthesis();
        self.send(EventKind::HelperError { helper, message, at }, HEADER + 8, |lowerer, record| {
            let at = record.at(HEADER);
            lowerer.b.store(at.base, at.offset, Width::B8, code);
        });
    }

    /// Where the code at hand comes from; bpftrace leaves out the parenthesis around what is reached through.
    fn behind_parenthesis(&self) -> Part {
        let (span, part) = (self.b.span(), self.here());
        let text = self.unit.src.get(span.start as usize..span.end as usize).unwrap_or_default();
        Part { column: part.column + u32::from(text.starts_with("((")), ..part }
    }

    /// With the user's wish, says that a map does not hold a key that was looked up.
    pub(super) fn tell_missing(&mut self) {
        if self.unit.options.helper_errors {
            const MESSAGE: &str = "Can't lookup map element because it does not exist.";
            self.tell_failure(Helper::MapLookupElem, Operand::Imm(0), MESSAGE);
        }
    }

    /// Says that an index is beyond the end of its array.
    pub fn warn_index(&mut self) {
        let format = "Array access out of bounds. This can lead to unexpected results.".to_owned();
        let kind = EventKind::Printf { to: PrintfTo::Warning(self.here().into()), format, args: vec![] };
        self.send(kind, HEADER, |_, _| {});
    }

    /// Says that a division by zero gave 1.
    pub(super) fn warn_division(&mut self) {
        let format = "Divide or modulo by 0 detected. This can lead to unexpected results. \
                      1 is being used as the result."
            .to_owned();
        let kind = EventKind::Printf { to: PrintfTo::Warning(self.here().into()), format, args: vec![] };
        self.send(kind, HEADER, |_, _| {});
    }

    /// Where the call at hand stands, and the call of a macro that it comes from.
    pub fn call_site(&self, expanded_from: Option<Span>) -> CallSite {
        CallSite { at: self.here(), expanded_from: expanded_from.map(|span| self.part(span)) }
    }

    /// Where in the script the code at hand comes from.
    pub fn here(&self) -> Part {
        let span: Span = self.b.span();
        self.part(span)
    }
}
