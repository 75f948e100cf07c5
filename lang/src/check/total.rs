//! What a map aggregates, as a number: all CPUs' parts together.

use report::schema::ValueKind;

use super::Checker;
use super::maps::MapUse;
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprKind};
use crate::span::Span;
use crate::types::{I64, Ty, U64};

impl Checker<'_> {
    /// The value of an aggregate where it is one number; a histogram stays what it is.
    pub(super) fn total(&mut self, used: MapUse, kind: ValueKind, span: Span) -> Expr {
        let Some(ty) = self.total_type(&used.name, &kind, span) else { return Expr::poison(span) };
        if ty.is_aggregate() {
            return Expr { kind: ExprKind::Map { map: used.map, key: used.key.map(Box::new) }, ty, span };
        }
        let (map, key) = (used.map, used.key);
        Expr::scalar("total", ty, span, move |lowerer| lowerer.total(map, key.as_ref(), &kind))
    }

    /// The type of that number, or the aggregate itself; `None` once it was reported that it cannot be read.
    pub(super) fn total_type(&mut self, name: &str, kind: &ValueKind, span: Span) -> Option<Ty> {
        let signed = match kind {
            ValueKind::Count => false,
            ValueKind::Sum { signed }
            | ValueKind::Min { signed }
            | ValueKind::Max { signed }
            | ValueKind::Avg { signed } => *signed,
            ValueKind::Stats { .. }
            | ValueKind::Hist { .. }
            | ValueKind::Lhist { .. }
            | ValueKind::Tseries { .. }
            | ValueKind::Value(_) => {
                return Some(Ty::Aggregate(kind.clone()));
            }
        };
        if !self.target.features.percpu_lookup {
            let message = format!("this node's kernel cannot read what all CPUs have put into `{name}`");
            let help = format!("it needs Linux 5.19; `print({name})` works everywhere");
            self.report(Diagnostic::error("E0613", span, message).help(help));
            return None;
        }
        Some(if signed { I64 } else { U64 })
    }
}
