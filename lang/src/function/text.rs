//! What functions that take text have in common: strings, arrays of characters, and pointers to characters, as strings.

use std::rc::Rc;

use crate::check::{Call, Checker, memory};
use crate::hir::{Expr, ExprKind};
use crate::types::{Space, Ty};

/// An argument that is text; what is wrong with it has been reported when there is none.
pub fn text_arg(checker: &mut Checker<'_>, call: &Call<'_>, index: usize) -> Option<Expr> {
    let arg = call.args.get(index)?;
    let value = checker.expr(arg);
    if value.ty.is_unknown() {
        return None;
    }
    // A literal ends where text ends, whatever is behind its NUL.
    if let Some((text, _)) = value.literal().and_then(|text| text.split_once('\0')) {
        return Some(Expr::str(text, value.span));
    }
    match &value.ty {
        Ty::Str { .. } => Some(value),
        Ty::Array { element, len } if is_character(element) => {
            let ty = Ty::Str { size: *len };
            Some(as_string(value, ty))
        }
        Ty::Pointer { to, space } if is_character(to) => {
            let (space, size) = (*space, checker.config.max_strlen.saturating_sub(1).max(1));
            Some(read(value, size, space))
        }
        ty => {
            let message = format!("argument {} of `{}` is text, not `{ty}`", index + 1, call.name.node);
            checker.error("E0504", arg.span, message);
            None
        }
    }
}

fn is_character(ty: &Ty) -> bool {
    matches!(ty, Ty::Int { bytes: 1, .. })
}

/// An array of characters read as a string.
fn as_string(array: Expr, ty: Ty) -> Expr {
    let span = array.span;
    match array.kind {
        ExprKind::Memory { address, offset, space, .. } => memory(*address, offset, ty, space, None, span),
        ExprKind::Context { offset } => Expr { kind: ExprKind::Context { offset }, ty, span },
        _ => Expr { kind: array.kind, ty, span },
    }
}

fn read(address: Expr, size: u32, space: Space) -> Expr {
    let span = address.span;
    let ty = Ty::Str { size };
    let bytes = ty.layout().size;
    let address = Rc::new(address);
    Expr::memory("str", ty, span, move |lowerer, to, fill| {
        let address = lowerer.scalar(&address);
        lowerer.read_string(to, bytes, address, space, fill);
    })
}
