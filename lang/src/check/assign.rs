//! Assignments to variables and maps.

use super::Checker;
use super::maps::MapUse;
use super::soft::Soft;
use crate::ast::{BinaryOp, Block, Expr, ExprKind, TypeName};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, StmtKind};
use crate::span::{Span, Spanned};
use crate::types::Ty;

impl Checker<'_> {
    pub(super) fn assign(&mut self, target: &Expr, op: Option<BinaryOp>, value: &Expr, span: Span) -> Option<StmtKind> {
        if let (None, ExprKind::Block(block)) = (op, &value.node)
            && let Some(last) = block.value.as_deref().filter(|last| aggregates(last))
        {
            return self.assign_last(target, block, last, span);
        }
        match &target.node {
            ExprKind::Ident(name) if name == "_" => Some(StmtKind::Expr(self.expr(value))),
            ExprKind::Variable(name) => self.assign_to_variable(name, target, op, value, span),
            ExprKind::Map(name) => {
                let name = Spanned { node: name.clone(), span: target.span };
                let target = self.map_use(&name, None, target.span);
                self.assign_to_map(target, op, value, span)
            }
            ExprKind::MapAccess { name, key } => {
                let key = self.key(key, target.span);
                let target = self.map_use(name, Some(key), target.span);
                self.assign_to_map(target, op, value, span)
            }
            _ => {
                self.error("E0208", target.span, "only a map or a variable can be assigned to");
                None
            }
        }
    }

    /// `@x = { ..; count() }`: the block's statements, then the assignment of its last expression.
    fn assign_last(&mut self, target: &Expr, block: &Block, last: &Expr, span: Span) -> Option<StmtKind> {
        self.open_scope();
        let mut stmts = self.stmts(&block.stmts);
        let kind = self.assign(target, None, last, span);
        self.close_scope();
        stmts.push(hir::Stmt { kind: kind?, span });
        Some(StmtKind::Block(stmts))
    }

    fn assign_to_variable(
        &mut self,
        name: &str,
        target: &Expr,
        op: Option<BinaryOp>,
        value: &Expr,
        span: Span,
    ) -> Option<StmtKind> {
        let value = match op {
            None => self.expr(value),
            Some(op) => {
                let old = self.variable(name, target.span);
                let value = self.expr(value);
                self.binary(op, old, value, span)
            }
        };
        self.require_value(&value)?;
        let var = self.variable_for_assignment(name, &value.ty);
        self.assign_variable(var, name, &value);
        Some(StmtKind::SetVar { var, value })
    }

    pub(super) fn let_variable(
        &mut self,
        name: &Spanned<String>,
        ty: Option<&TypeName>,
        value: Option<&Expr>,
        span: Span,
    ) -> Option<StmtKind> {
        let ty = ty.map(|ty| self.type_name(ty));
        let value = value.map(|value| self.expr(value));
        let var = self.declare(name, ty.clone());
        let value = match value {
            Some(value) => {
                self.require_value(&value)?;
                self.assign_variable(var, &name.node, &value);
                value
            }
            // Zero or empty until it is assigned; the type comes from the assignments.
            None => hir::Expr { kind: hir::ExprKind::Int(0), ty: ty.unwrap_or(Ty::Unknown), span },
        };
        Some(StmtKind::SetVar { var, value })
    }

    fn assign_to_map(&mut self, target: MapUse, op: Option<BinaryOp>, value: &Expr, span: Span) -> Option<StmtKind> {
        let value = if op.is_none() { self.assigned(value) } else { self.expr(value) };
        self.require_value(&value)?;
        let Some(op) = op else {
            let soft = self.softness(&value);
            self.assign_map(&target, &value.ty, &soft, value.span);
            return Some(match value.kind {
                hir::ExprKind::Aggregate(aggregate) => {
                    StmtKind::Aggregate { map: target.map, key: target.key, aggregate }
                }
                _ => StmtKind::SetMap { map: target.map, key: target.key, value },
            });
        };
        let old_ty = self.map_value(&target.name);
        if let Ty::Aggregate(_) = old_ty {
            self.error("E0606", span, format!("`{}` holds `{old_ty}`, which has no operators", target.name));
            return None;
        }
        if matches!(op, BinaryOp::Add | BinaryOp::Sub)
            && value.ty.is_integer()
            && (old_ty.is_integer() || old_ty.is_unknown())
        {
            let soft = if op == BinaryOp::Add { self.softness(&value) } else { Soft::No };
            let ty = if op == BinaryOp::Sub { crate::types::I64 } else { value.ty.clone() };
            self.assign_map(&target, &ty, &soft, value.span);
            return Some(StmtKind::AddMap { map: target.map, key: target.key, value, subtract: op == BinaryOp::Sub });
        }
        let old = hir::Expr {
            kind: hir::ExprKind::Map { map: target.map, key: target.key.clone().map(Box::new) },
            ty: old_ty,
            span: target.span,
        };
        let result = self.binary(op, old, value, span);
        self.assign_map(&target, &result.ty, &Soft::No, span);
        Some(StmtKind::SetMap { map: target.map, key: target.key, value: result })
    }

    /// Reports what has no value to assign.
    fn require_value(&mut self, value: &hir::Expr) -> Option<()> {
        if value.ty == Ty::Void {
            let d = Diagnostic::error("E0302", value.span, "this has no value");
            self.report(d);
            return None;
        }
        if matches!(value.ty, Ty::Aggregate(_)) && !matches!(value.kind, hir::ExprKind::Aggregate(_)) {
            self.unsupported(value.span, "what a map aggregates as a value");
            return None;
        }
        Some(())
    }
}

/// Whether an expression aggregates, so that only a map takes it; also one at the end of further blocks.
fn aggregates(e: &Expr) -> bool {
    match &e.node {
        ExprKind::Call { name, .. } => crate::function::aggregates(&name.node),
        ExprKind::Block(block) => block.value.as_deref().is_some_and(aggregates),
        _ => false,
    }
}
