//! What a map aggregates, as a number: all CPUs' parts together.

use report::schema::ValueKind;

use super::Checker;
use super::maps::MapUse;
use crate::hir::{Expr, ExprKind};
use crate::span::Span;
use crate::types::{I64, Ty, U64};

impl Checker<'_> {
    /// The value of an aggregate where it is one number; a histogram stays what it is.
    pub(super) fn total(&mut self, used: MapUse, kind: ValueKind, span: Span) -> Expr {
        let signed = match kind {
            ValueKind::Count => false,
            ValueKind::Sum { signed }
            | ValueKind::Min { signed }
            | ValueKind::Max { signed }
            | ValueKind::Avg { signed } => signed,
            ValueKind::Stats { .. } | ValueKind::Hist { .. } | ValueKind::Lhist { .. } | ValueKind::Value(_) => {
                let ty = Ty::Aggregate(kind);
                return Expr { kind: ExprKind::Map { map: used.map, key: used.key.map(Box::new) }, ty, span };
            }
        };
        if !self.target.features.percpu_lookup {
            let message = format!("this node's kernel cannot read what all CPUs have put into `{}`", used.name);
            return self.error("E0613", span, message);
        }
        let (map, key) = (used.map, used.key);
        let ty = if signed { I64 } else { U64 };
        Expr::scalar("total", ty, span, move |lowerer| lowerer.total(map, key.as_ref(), &kind))
    }
}
