//! Addresses: of variables, of maps, and of what lies in memory.

use bpf::btf::Kind;

use super::Checker;
use super::operator::pointer_to;
use crate::ast::{BinaryOp, Expr, ExprKind as Ast};
use crate::hir::{self, ExprKind, Map};
use crate::span::Span;
use crate::types::{Space, Ty};

impl Checker<'_> {
    /// `&operand`
    pub(super) fn address(&mut self, operand: &Expr, span: Span) -> hir::Expr {
        match &operand.node {
            Ast::Variable(name) => self.variable_address(name, operand.span, span),
            Ast::Map(name) => {
                self.require_assigned(name, operand.span);
                let map = self.plain_map(name, operand.span).map;
                self.map_address(map, span)
            }
            _ => self.memory_address(operand, span),
        }
    }

    fn variable_address(&mut self, name: &str, at: Span, span: Span) -> hir::Expr {
        let value = self.variable(name, at);
        let ExprKind::Var(var) = value.kind else { return value };
        self.take_address(var);
        hir::Expr { kind: ExprKind::AddressOf(var), ty: pointer_to(value.ty, Space::Kernel), span }
    }

    /// Where the kernel describes a map: not where its values are.
    fn map_address(&mut self, map: Map, span: Span) -> hir::Expr {
        let described = self.kernel_type(Kind::Struct, "bpf_map").unwrap_or(Ty::Void);
        let (ty, keeps) = (pointer_to(described, Space::Kernel), self.keeps_pointers);
        hir::Expr::scalar("map", ty, span, move |lowerer| lowerer.script_map_address(map, keeps))
    }

    /// The address of what lies in the kernel's or a process's memory.
    fn memory_address(&mut self, operand: &Expr, span: Span) -> hir::Expr {
        let value = self.expr(operand);
        match value.kind {
            ExprKind::Memory { address, offset, space, bits: None } => {
                address_of(*address, offset, pointer_to(value.ty, space), span)
            }
            ExprKind::Poison => hir::Expr { kind: ExprKind::Poison, ty: Ty::Unknown, span },
            _ => {
                let message = "this has no address: it is a value, not a variable or something in memory";
                self.error("E0324", span, message)
            }
        }
    }
}

/// The address of what lies `offset` bytes behind another.
pub fn address_of(address: hir::Expr, offset: i64, ty: Ty, span: Span) -> hir::Expr {
    if offset == 0 {
        return hir::Expr { ty, span, ..address };
    }
    let right = Box::new(hir::Expr::int(offset, span));
    let left = Box::new(address);
    hir::Expr { kind: ExprKind::Binary { op: BinaryOp::Add, signed: false, left, right }, ty, span }
}
