//! What a variable is known to hold: the expression of its only assignment.

use super::Checker;
use crate::ast::{Expr, ExprKind, Probe, StmtKind, UnaryOp};
use crate::span::Span;
use crate::walk::{self, Node};

impl<'a> Checker<'a> {
    /// The expression whose value variable `name` holds at `at`, where nothing else can be: it is assigned once in the probe, before
    /// `at`, by a statement of the probe's own block, and its address is not taken.
    pub fn only_value(&self, name: &str, at: Span) -> Option<&'a Expr> {
        let probe = self.probe?;
        if changes(probe, name) != 1 {
            return None;
        }
        probe.body.stmts.iter().filter(|stmt| stmt.span.end <= at.start).find_map(|stmt| match &stmt.node {
            StmtKind::Assign { target, op: None, value } if is_variable(target, name) => Some(value),
            StmtKind::Let { name: own, value, .. } if own.node == name => value.as_ref(),
            _ => None,
        })
    }
}

fn is_variable(e: &Expr, name: &str) -> bool {
    matches!(&e.node, ExprKind::Variable(own) if own == name)
}

/// How often something in a probe's text may give a variable of this name a value.
fn changes(probe: &Probe, name: &str) -> usize {
    let mut count = 0;
    walk::probe(probe, &mut |node| {
        let found = match node {
            Node::Stmt(stmt) => match &stmt.node {
                StmtKind::Assign { target, .. } => is_variable(target, name),
                StmtKind::Let { name: own, .. }
                | StmtKind::ForMap { variable: own, .. }
                | StmtKind::ForRange { variable: own, .. } => own.node == name,
                _ => false,
            },
            Node::Expr(e) => match &e.node {
                ExprKind::Step { target, .. } => is_variable(target, name),
                ExprKind::Unary { op: UnaryOp::AddressOf, operand } => is_variable(operand, name),
                ExprKind::Call { name: called, args } => {
                    called.node == "find" && args.iter().any(|arg| is_variable(arg, name))
                }
                _ => false,
            },
            Node::Type(_) => false,
        };
        count += usize::from(found);
    });
    count
}
