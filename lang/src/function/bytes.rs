//! What functions that take bytes have in common: arrays and strings as the bytes they are.

use std::rc::Rc;

use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::lower::{Lowerer, Place};
use crate::types::Ty;

const BYTE: Ty = Ty::Int { bytes: 1, signed: false };

/// A value in memory, taken as bytes.
pub struct Bytes {
    /// How many.
    pub size: u32,
    value: Expr,
}

impl Bytes {
    /// Where they are, aligned to 8 bytes; up to 7 more may be read behind them.
    pub fn place(&self, lowerer: &mut Lowerer<'_>) -> Place {
        lowerer.place(&self.value)
    }
}

/// An argument that is an array, a string or what points to one; what is wrong with it has been reported when there is none.
pub fn bytes_arg(checker: &mut Checker<'_>, call: &Call<'_>, index: usize, value: Expr) -> Option<Bytes> {
    let span = value.span;
    let value = match &value.ty {
        Ty::Pointer { to, space } if matches!(**to, Ty::Array { .. } | Ty::Str { .. }) => {
            let (ty, space) = ((**to).clone(), *space);
            crate::check::memory(value, 0, ty, space, None, span)
        }
        _ => value,
    };
    let size = match &value.ty {
        Ty::Unknown => return None,
        Ty::Array { element, len } => element.layout().size.saturating_mul(*len),
        Ty::Str { size } => *size,
        ty => {
            let message = format!("argument {} of `{}` is an array of bytes, not `{ty}`", index + 1, call.name.node);
            checker.error("E0504", span, message);
            return None;
        }
    };
    // As bytes it is read whole, where a string would end at its NUL.
    let ty = Ty::Array { element: Rc::new(BYTE), len: size };
    let kind = match value.literal() {
        // Written by the script, NULs and all.
        Some(text) => {
            let text: Rc<[u8]> = report::raw::bytes(text).into();
            return Some(Bytes {
                size,
                value: Expr::memory("text", ty, span, move |l, to, _| l.write_bytes(&text, to, size)),
            });
        }
        None => value.kind,
    };
    Some(Bytes { size, value: Expr { kind, ty, span } })
}
