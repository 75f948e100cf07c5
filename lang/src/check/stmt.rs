//! Statements.

use super::Checker;
use super::comptime::{Chosen, chosen};
use crate::ast::{Block, Expr, ExprKind, Stmt, StmtKind};
use crate::diagnostic::Diagnostic;
use crate::hir;
use crate::span::Span;
use crate::types::Ty;

/// What a loop begins with.
const WHILE: &str = "while";

/// The most times `unroll` repeats its body, as in bpftrace.
const MOST_UNROLLED: i64 = 100;

impl Checker<'_> {
    /// A block with its own variables.
    pub(super) fn block(&mut self, block: &Block) -> Vec<hir::Stmt> {
        self.open_scope();
        let mut stmts = self.stmts(&block.stmts);
        if let Some(value) = &block.value {
            let e = self.discarded(value);
            stmts.push(hir::Stmt { kind: hir::StmtKind::Expr(e), span: value.span });
        }
        self.close_scope();
        stmts
    }

    pub(super) fn stmts(&mut self, stmts: &[Stmt]) -> Vec<hir::Stmt> {
        let last = stmts.iter().position(leaves);
        if let Some(never) = last.and_then(|last| stmts.get(last + 1)) {
            self.report(Diagnostic::warning("W0201", never.span, "Unreachable statement."));
        }
        stmts.iter().filter_map(|s| Some(hir::Stmt { kind: self.stmt(s)?, span: s.span })).collect()
    }

    fn stmt(&mut self, stmt: &Stmt) -> Option<hir::StmtKind> {
        Some(match &stmt.node {
            // A macro called as a statement may do what a statement may.
            StmtKind::Expr(Expr { node: ExprKind::Block(block), span }) => {
                hir::StmtKind::Expr(self.open_block(block, *span))
            }
            StmtKind::Expr(e) => hir::StmtKind::Expr(self.discarded(e)),
            StmtKind::Assign { target, op, value } => return self.assign(target, *op, value, stmt.span),
            StmtKind::Let { name, ty, value } => {
                return self.let_variable(name, ty.as_ref(), value.as_ref(), stmt.span);
            }
            StmtKind::If { condition, then, otherwise } => {
                let written = condition;
                let condition = self.condition(written);
                if let Chosen::Now(block) = chosen(written, &condition, then, otherwise.as_ref()) {
                    return Some(hir::StmtKind::Block(block.map(|block| self.block(block)).unwrap_or_default()));
                }
                let constant = condition.constant();
                let then = self.branch(then, constant == Some(0));
                let never = constant.is_some_and(|value| value != 0);
                let otherwise = otherwise.as_ref().map(|block| self.branch(block, never)).unwrap_or_default();
                hir::StmtKind::If { condition, then, otherwise }
            }
            StmtKind::While { condition, body } => {
                let keyword = Span { start: stmt.span.start, end: stmt.span.start + WHILE.len() as u32 };
                let message = "While loops are deprecated and may be removed in the future.";
                self.report(
                    Diagnostic::warning("W0203", keyword, message).help("loop over a range: `for ($i : 0..10) { .. }`"),
                );
                self.while_loop(condition, body)
            }
            StmtKind::Unroll { count, body } => {
                let count = self.unroll_count(count)?;
                self.unrolls += 1;
                let body = self.loop_body(body);
                self.unrolls -= 1;
                hir::StmtKind::Unroll { count, body }
            }
            StmtKind::ForRange { variable, start, end, body } => return self.for_range(variable, start, end, body),
            StmtKind::ForMap { variable, map, body } => return self.for_map(variable, map, body),
            StmtKind::Break | StmtKind::Continue => {
                let is_break = stmt.node == StmtKind::Break;
                if self.loops == 0 {
                    let word = if is_break { "break" } else { "continue" };
                    self.error("E0206", stmt.span, format!("`{word}` outside of a loop"));
                }
                if is_break { hir::StmtKind::Break } else { hir::StmtKind::Continue }
            }
            StmtKind::Return(value) => {
                let value = value.as_ref().map(|value| self.expr(value));
                if self.in_value {
                    self.error("E0213", stmt.span, "`return` cannot leave the probe from inside a value");
                }
                hir::StmtKind::Return(value.filter(|value| value.ty.is_integer() && self.is_trial()))
            }
            StmtKind::Block(block) => hir::StmtKind::Block(self.block(block)),
        })
    }

    /// An expression whose value nobody takes.
    fn discarded(&mut self, e: &Expr) -> hir::Expr {
        let checked = self.expr(e);
        // A call is there for what it does; so may be what a block or an `if` ends with.
        let is_made_for_value = !matches!(
            e.node,
            ExprKind::Call { .. }
                | ExprKind::Step { .. }
                | ExprKind::Block(_)
                | ExprKind::If { .. }
                | ExprKind::Ident(_)
        );
        if is_made_for_value && !self.incomplete && checked.ty != Ty::Void && !checked.ty.is_unknown() {
            self.report(Diagnostic::warning("W0202", e.span, "Return value discarded."));
        }
        checked
    }

    /// A branch; `never` where it is known not to be taken.
    fn branch(&mut self, block: &Block, never: bool) -> Vec<hir::Stmt> {
        self.dead += u32::from(never);
        let stmts = self.block(block);
        self.dead -= u32::from(never);
        stmts
    }

    /// Whether the statement at hand is known never to run.
    pub fn is_dead(&self) -> bool {
        self.dead > 0
    }

    pub(super) fn loop_body(&mut self, body: &Block) -> Vec<hir::Stmt> {
        self.loops += 1;
        let body = self.block(body);
        self.loops -= 1;
        body
    }

    fn unroll_count(&mut self, count: &Expr) -> Option<u32> {
        let checked = self.expr(count);
        match checked.constant() {
            Some(n @ 1..=MOST_UNROLLED) => u32::try_from(n).ok(),
            Some(n) => {
                let message = match n {
                    ..1 => "unroll minimum value is 1".to_owned(),
                    _ => format!("unroll maximum value is {MOST_UNROLLED}"),
                };
                self.error("E0207", count.span, message);
                None
            }
            None => {
                if !checked.ty.is_unknown() {
                    self.error("E0207", count.span, "unroll takes a constant");
                }
                None
            }
        }
    }

    /// Whether the statement at hand is inside of a loop that runs, not of one that is unrolled.
    pub fn in_loop(&self) -> bool {
        self.loops > self.unrolls
    }

    /// Whether the statement at hand tells the result of a test. Loops may be functions of their own, which tell none.
    fn is_trial(&self) -> bool {
        matches!(self.attach, Some(crate::compiled::Attach::Trial { .. })) && !self.in_loop()
    }

    /// Whether the statement at hand is part of a value: leaving the probe there would leave something half done.
    pub fn in_value(&self) -> bool {
        self.in_value
    }

    /// An expression that decides something.
    pub fn condition(&mut self, e: &Expr) -> hir::Expr {
        let checked = self.expr(e);
        if checked.ty.is_condition() {
            return checked;
        }
        self.not_a(e.span, &checked.ty, "a condition")
    }

    /// An expression that must be an integer.
    pub fn integer(&mut self, e: &Expr) -> hir::Expr {
        let checked = self.expr(e);
        if checked.ty.is_integer() || checked.ty.is_unknown() {
            return checked;
        }
        self.not_a(e.span, &checked.ty, "an integer")
    }

    fn not_a(&mut self, span: Span, ty: &Ty, wanted: &str) -> hir::Expr {
        self.error("E0301", span, format!("`{ty}` is not {wanted}"))
    }
}

/// Whether nothing that stands behind a statement is ever done.
fn leaves(stmt: &Stmt) -> bool {
    match &stmt.node {
        StmtKind::Break | StmtKind::Continue | StmtKind::Return(_) => true,
        StmtKind::Expr(Expr { node: ExprKind::Call { name, .. }, .. }) => name.node == "exit",
        _ => false,
    }
}
