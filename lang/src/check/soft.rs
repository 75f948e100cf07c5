//! Constants not below zero fit signed and unsigned alike: beside another value they take its sign.
//!
//! A variable or a map to which only such constants are assigned is soft too, and so are the parts of tuples and records.

use super::Checker;
use crate::hir::{self, ExprKind};
use crate::types::{Ty, unify};

/// Which parts of a value take the sign of what they are put beside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Soft {
    /// None.
    #[default]
    No,
    /// All of it.
    Yes,
    /// The components of a tuple or record, each as it says.
    Parts(Vec<Soft>),
}

impl Soft {
    fn part(&self, index: usize) -> Self {
        match self {
            Self::Parts(parts) => parts.get(index).cloned().unwrap_or_default(),
            _ => Self::No,
        }
    }
}

/// The type that holds values of both, as [`unify`] finds it, with regard to what takes the other's sign; and what still does.
pub fn unify_soft((a, x): (&Ty, &Soft), (b, y): (&Ty, &Soft)) -> Option<(Ty, Soft)> {
    Some(match (a, b) {
        (Ty::Unknown, other) => (other.clone(), y.clone()),
        (other, Ty::Unknown) => (other.clone(), x.clone()),
        (Ty::Int { bytes, signed }, Ty::Int { bytes: other, signed: sign })
            if signed != sign && (*x == Soft::Yes || *y == Soft::Yes) =>
        {
            let signed = if *y == Soft::Yes { *signed } else { *sign };
            (Ty::Int { bytes: *bytes.max(other), signed }, both(x, y))
        }
        (Ty::Tuple(first), Ty::Tuple(second)) if first.len() == second.len() => {
            let parts = first.iter().zip(second.iter()).enumerate();
            let parts = parts.map(|(index, (a, b))| unify_soft((a, &x.part(index)), (b, &y.part(index))));
            let (types, soft): (Vec<Ty>, Vec<Soft>) = parts.collect::<Option<Vec<_>>>()?.into_iter().unzip();
            (Ty::Tuple(types.into()), Soft::Parts(soft))
        }
        // In the order of the first.
        (Ty::Record(first), Ty::Record(second)) if first.len() == second.len() => {
            let parts = first.iter().enumerate().map(|(index, (name, a))| {
                let there = second.iter().position(|(other, _)| other == name)?;
                let (_, b) = second.get(there)?;
                let (ty, soft) = unify_soft((a, &x.part(index)), (b, &y.part(there)))?;
                Some(((name.clone(), ty), soft))
            });
            let (types, soft): (Vec<_>, Vec<Soft>) = parts.collect::<Option<Vec<_>>>()?.into_iter().unzip();
            (Ty::Record(types.into()), Soft::Parts(soft))
        }
        _ => (unify(a, b)?, both(x, y)),
    })
}

fn both(x: &Soft, y: &Soft) -> Soft {
    if x == y { x.clone() } else { Soft::No }
}

impl Checker<'_> {
    /// Which parts of a value are soft.
    pub(super) fn softness(&self, e: &hir::Expr) -> Soft {
        match &e.kind {
            // What was cast to a wider type keeps that type's sign.
            ExprKind::Int(value) if *value >= 0 && (e.ty == Ty::of_literal(*value) || matches!(e.ty, Ty::Enum(_))) => {
                Soft::Yes
            }
            ExprKind::Var(var) => self.variable_softness(*var),
            ExprKind::Map { map, .. } => self.map_softness(*map),
            ExprKind::Tuple(items) => Soft::Parts(items.iter().map(|item| self.softness(item)).collect()),
            ExprKind::Component { base, index } => self.softness(base).part(*index),
            ExprKind::Ternary { then, otherwise, .. } => both(&self.softness(then), &self.softness(otherwise)),
            ExprKind::Block { value, .. } => self.softness(value),
            _ => Soft::No,
        }
    }

    /// Whether a value takes the sign of what it is put beside.
    pub(super) fn is_soft(&self, e: &hir::Expr) -> bool {
        self.softness(e) == Soft::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(bytes: u8, signed: bool) -> Ty {
        Ty::Int { bytes, signed }
    }

    #[test]
    fn what_is_soft_takes_the_other_sign_and_the_larger_width() {
        let unified = unify_soft((&int(1, true), &Soft::Yes), (&int(8, false), &Soft::No));
        assert_eq!(unified, Some((int(8, false), Soft::No)));
        let unified = unify_soft((&int(2, false), &Soft::No), (&int(4, true), &Soft::Yes));
        assert_eq!(unified, Some((int(4, false), Soft::No)));
        assert_eq!(unify_soft((&int(1, true), &Soft::No), (&int(8, false), &Soft::No)), Some((int(8, true), Soft::No)));
    }

    #[test]
    fn the_parts_of_a_tuple_are_soft_one_by_one() {
        let tuple = |a, b| Ty::Tuple([a, b].into());
        let soft = Soft::Parts(vec![Soft::Yes, Soft::No]);
        let unified = unify_soft(
            (&tuple(int(1, true), int(1, true)), &soft),
            (&tuple(int(4, false), int(4, false)), &Soft::Parts(vec![Soft::No, Soft::No])),
        );
        let parts = Soft::Parts(vec![Soft::No, Soft::No]);
        assert_eq!(unified, Some((tuple(int(4, false), int(8, true)), parts)));
    }
}
