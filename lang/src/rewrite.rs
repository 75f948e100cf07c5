//! Changes every expression and name of a piece of script in place, inner expressions before outer ones.

use crate::ast::{Block, Expr, ExprKind, Stmt, StmtKind, TypeBase, TypeName, TypeOrExpr};

/// What is done to what is met.
pub trait Rewrite {
    /// An expression whose parts have been visited.
    fn expr(&mut self, e: &mut Expr);
    /// A scratch variable's name, with its sigil.
    fn variable(&mut self, _name: &mut String) {}
    /// A map's name, with its sigil.
    fn map(&mut self, _name: &mut String) {}
    /// A block or an expression begins.
    fn enter(&mut self) {}
    /// The innermost block or expression ends.
    fn leave(&mut self) {}

    /// What a written type starts with.
    fn type_base(&mut self, _: &mut TypeBase) {}
}

/// Visits what a block holds.
pub fn block(block: &mut Block, to: &mut dyn Rewrite) {
    to.enter();
    for s in &mut block.stmts {
        stmt(s, to);
    }
    if let Some(value) = &mut block.value {
        expr(value, to);
    }
    to.leave();
}

fn optional_block(inner: &mut Option<Block>, to: &mut dyn Rewrite) {
    if let Some(inner) = inner {
        block(inner, to);
    }
}

fn stmt(stmt: &mut Stmt, to: &mut dyn Rewrite) {
    match &mut stmt.node {
        StmtKind::Expr(e) => expr(e, to),
        StmtKind::Assign { target, value, .. } => {
            expr(target, to);
            expr(value, to);
        }
        StmtKind::Let { name, ty, value } => {
            to.variable(&mut name.node);
            if let Some(ty) = ty {
                type_name(ty, to);
            }
            if let Some(value) = value {
                expr(value, to);
            }
        }
        StmtKind::If { condition, then, otherwise } => {
            expr(condition, to);
            block(then, to);
            optional_block(otherwise, to);
        }
        StmtKind::While { condition, body } | StmtKind::Unroll { count: condition, body } => {
            expr(condition, to);
            block(body, to);
        }
        StmtKind::ForMap { variable, map, body } => {
            to.variable(&mut variable.node);
            to.map(&mut map.node);
            block(body, to);
        }
        StmtKind::ForRange { variable, start, end, body } => {
            to.variable(&mut variable.node);
            expr(start, to);
            expr(end, to);
            block(body, to);
        }
        StmtKind::Break | StmtKind::Continue => {}
        StmtKind::Return(value) => {
            if let Some(value) = value {
                expr(value, to);
            }
        }
        StmtKind::Block(inner) => block(inner, to),
    }
}

/// Visits what an expression holds, then itself.
pub fn expr(e: &mut Expr, to: &mut dyn Rewrite) {
    to.enter();
    match &mut e.node {
        ExprKind::Int { .. }
        | ExprKind::Str(_)
        | ExprKind::Bool(_)
        | ExprKind::Ident(_)
        | ExprKind::Positional(_)
        | ExprKind::PositionalCount => {}
        ExprKind::Variable(name) => to.variable(name),
        ExprKind::Map(name) => to.map(name),
        ExprKind::MapAccess { name, key } => {
            to.map(&mut name.node);
            key.iter_mut().for_each(|item| expr(item, to));
        }
        ExprKind::Call { args: items, .. } | ExprKind::Tuple(items) => items.iter_mut().for_each(|item| expr(item, to)),
        ExprKind::Record(items) => items.iter_mut().for_each(|(_, item)| expr(item, to)),
        ExprKind::Unary { operand, .. } | ExprKind::Step { target: operand, .. } => expr(operand, to),
        ExprKind::Binary { left, right, .. } | ExprKind::Index { base: left, index: right } => {
            expr(left, to);
            expr(right, to);
        }
        ExprKind::Ternary { condition, then, otherwise } => {
            expr(condition, to);
            if let Some(then) = then {
                expr(then, to);
            }
            expr(otherwise, to);
        }
        ExprKind::Field { base, .. } => expr(base, to),
        ExprKind::Cast { ty, operand } => {
            type_name(ty, to);
            expr(operand, to);
        }
        ExprKind::Sizeof(of) | ExprKind::Offsetof { base: of, .. } | ExprKind::Typeof(of) | ExprKind::Typeinfo(of) => {
            type_or_expr(of, to);
        }
        ExprKind::Block(inner) => block(inner, to),
        ExprKind::If { condition, then, otherwise } => {
            expr(condition, to);
            block(then, to);
            optional_block(otherwise, to);
        }
    }
    to.expr(e);
    to.leave();
}

fn type_or_expr(of: &mut TypeOrExpr, to: &mut dyn Rewrite) {
    match of {
        TypeOrExpr::Type(ty) => type_name(ty, to),
        TypeOrExpr::Expr(e) => expr(e, to),
    }
}

fn type_name(ty: &mut TypeName, to: &mut dyn Rewrite) {
    match &mut ty.base {
        TypeBase::Typeof(of) => type_or_expr(of, to),
        TypeBase::Tuple(items) => items.iter_mut().for_each(|item| type_name(item, to)),
        TypeBase::Name(_) | TypeBase::Struct(_) | TypeBase::Union(_) | TypeBase::Enum(_) => {}
    }
    to.type_base(&mut ty.base);
    for len in ty.arrays.iter_mut().flatten() {
        expr(len, to);
    }
}
