//! Visits every expression and every type of a piece of script, outer ones before inner ones.

use crate::ast::{Block, Expr, ExprKind, Probe, Stmt, StmtKind, TypeBase, TypeName, TypeOrExpr};

/// What a walk meets.
pub enum Node<'a> {
    /// An expression.
    Expr(&'a Expr),
    /// A written type.
    Type(&'a TypeName),
    /// A statement.
    Stmt(&'a Stmt),
}

/// Visits what a probe's predicate and body hold.
pub fn probe<'a>(probe: &'a Probe, visit: &mut dyn FnMut(Node<'a>)) {
    if let Some(predicate) = &probe.predicate {
        expr(predicate, visit);
    }
    block(&probe.body, visit);
}

/// Visits what a block holds.
pub fn block<'a>(block: &'a Block, visit: &mut dyn FnMut(Node<'a>)) {
    for s in &block.stmts {
        stmt(s, visit);
    }
    if let Some(value) = &block.value {
        expr(value, visit);
    }
}

fn stmt<'a>(stmt: &'a Stmt, visit: &mut dyn FnMut(Node<'a>)) {
    visit(Node::Stmt(stmt));
    match &stmt.node {
        StmtKind::Expr(e) => expr(e, visit),
        StmtKind::Assign { target, value, .. } => {
            expr(target, visit);
            expr(value, visit);
        }
        StmtKind::Let { ty, value, .. } => {
            if let Some(ty) = ty {
                type_name(ty, visit);
            }
            if let Some(value) = value {
                expr(value, visit);
            }
        }
        StmtKind::If { condition, then, otherwise } => {
            expr(condition, visit);
            block(then, visit);
            if let Some(otherwise) = otherwise {
                block(otherwise, visit);
            }
        }
        StmtKind::While { condition, body } | StmtKind::Unroll { count: condition, body } => {
            expr(condition, visit);
            block(body, visit);
        }
        StmtKind::ForMap { body, .. } => block(body, visit),
        StmtKind::ForRange { start, end, body, .. } => {
            expr(start, visit);
            expr(end, visit);
            block(body, visit);
        }
        StmtKind::Break | StmtKind::Continue => {}
        StmtKind::Return(value) => {
            if let Some(value) = value {
                expr(value, visit);
            }
        }
        StmtKind::Block(inner) => block(inner, visit),
    }
}

/// Visits an expression and what it holds.
pub fn expr<'a>(e: &'a Expr, visit: &mut dyn FnMut(Node<'a>)) {
    visit(Node::Expr(e));
    match &e.node {
        ExprKind::Int { .. }
        | ExprKind::Str(_)
        | ExprKind::Bool(_)
        | ExprKind::Ident(_)
        | ExprKind::Variable(_)
        | ExprKind::Map(_)
        | ExprKind::Positional(_)
        | ExprKind::PositionalCount => {}
        ExprKind::MapAccess { key: items, .. } | ExprKind::Call { args: items, .. } | ExprKind::Tuple(items) => {
            for item in items {
                expr(item, visit);
            }
        }
        ExprKind::Record(items) => {
            for (_, item) in items {
                expr(item, visit);
            }
        }
        ExprKind::Unary { operand, .. } | ExprKind::Step { target: operand, .. } => expr(operand, visit),
        ExprKind::Binary { left, right, .. } | ExprKind::Index { base: left, index: right } => {
            expr(left, visit);
            expr(right, visit);
        }
        ExprKind::Ternary { condition, then, otherwise } => {
            expr(condition, visit);
            if let Some(then) = then {
                expr(then, visit);
            }
            expr(otherwise, visit);
        }
        ExprKind::Field { base, .. } => expr(base, visit),
        ExprKind::Cast { ty, operand } => {
            type_name(ty, visit);
            expr(operand, visit);
        }
        ExprKind::Sizeof(of) | ExprKind::Offsetof { base: of, .. } | ExprKind::Typeof(of) | ExprKind::Typeinfo(of) => {
            type_or_expr(of, visit);
        }
        ExprKind::Block(inner) => block(inner, visit),
        ExprKind::If { condition, then, otherwise } => {
            expr(condition, visit);
            block(then, visit);
            if let Some(otherwise) = otherwise {
                block(otherwise, visit);
            }
        }
    }
}

fn type_or_expr<'a>(of: &'a TypeOrExpr, visit: &mut dyn FnMut(Node<'a>)) {
    match of {
        TypeOrExpr::Type(ty) => type_name(ty, visit),
        TypeOrExpr::Expr(e) => expr(e, visit),
    }
}

fn type_name<'a>(ty: &'a TypeName, visit: &mut dyn FnMut(Node<'a>)) {
    visit(Node::Type(ty));
    match &ty.base {
        TypeBase::Typeof(of) => type_or_expr(of, visit),
        TypeBase::Tuple(items) => {
            for item in items {
                type_name(item, visit);
            }
        }
        TypeBase::Name(_) | TypeBase::Struct(_) | TypeBase::Union(_) | TypeBase::Enum(_) => {}
    }
    for len in ty.arrays.iter().flatten() {
        expr(len, visit);
    }
}
