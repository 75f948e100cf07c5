//! Blocks and statements as text, one statement a line.

use crate::ast::{Block, Expr, ExprKind, Stmt, StmtKind};
use crate::token::symbol;

use super::layout::Printer;

impl Printer<'_> {
    /// `{ .. }` over several lines, or `{ }` where there is nothing inside.
    pub(super) fn block(&mut self, block: &Block) {
        self.push("{");
        let start = self.mark();
        self.end_line(block.span.start + 1);
        self.indent();
        for statement in &block.stmts {
            self.before(statement);
            self.statement(statement);
            self.end_line(statement.span.end);
        }
        if let Some(value) = &block.value {
            self.remarks_before(value.span.start);
            self.keep_blank_line(value.span.start);
            self.standing_alone(value);
            self.end_line(value.span.end);
        }
        self.remarks_before(block.span.end);
        self.dedent();
        if self.since(start).trim().is_empty() {
            self.forget(start);
            self.push(" ");
        }
        self.push("}");
    }

    fn before(&mut self, statement: &Stmt) {
        let has_blocks = !matches!(
            statement.node,
            StmtKind::Expr(_) | StmtKind::Assign { .. } | StmtKind::Let { .. } | StmtKind::Return(_)
        );
        // Comments inside of a simple statement have no line of their own: they move before it.
        let holds_block = self.text_of(statement.span).contains('{');
        let reach = if has_blocks || holds_block { statement.span.start } else { statement.span.end };
        self.remarks_before(reach);
        self.keep_blank_line(statement.span.start);
    }

    fn statement(&mut self, statement: &Stmt) {
        match &statement.node {
            StmtKind::Expr(expr) => {
                self.standing_alone(expr);
                self.push(";");
            }
            StmtKind::Assign { target, op, value } => {
                self.expr(target, 0);
                self.push(" ");
                if let Some(op) = op {
                    self.push(symbol(*op));
                }
                self.push("= ");
                self.expr(value, 0);
                self.push(";");
            }
            StmtKind::Let { name, ty, value } => {
                self.push("let ");
                self.push(&name.node);
                if let Some(ty) = ty {
                    self.push(": ");
                    self.type_name(ty);
                }
                if let Some(value) = value {
                    self.push(" = ");
                    self.expr(value, 0);
                }
                self.push(";");
            }
            StmtKind::If { condition, then, otherwise } => self.if_statement(condition, then, otherwise.as_ref()),
            StmtKind::While { condition, body } => self.headed("while (", condition, body),
            StmtKind::Unroll { count, body } => self.headed("unroll (", count, body),
            StmtKind::ForMap { variable, map, body } => {
                self.push(&format!("for ({} : {}) ", variable.node, map.node));
                self.block(body);
            }
            StmtKind::ForRange { variable, start, end, body } => {
                self.push(&format!("for ({} : ", variable.node));
                self.expr(start, 0);
                self.push("..");
                self.expr(end, 0);
                self.push(") ");
                self.block(body);
            }
            StmtKind::Break => self.push("break;"),
            StmtKind::Continue => self.push("continue;"),
            StmtKind::Return(value) => {
                self.push("return");
                if let Some(value) = value {
                    self.push(" ");
                    self.expr(value, 0);
                }
                self.push(";");
            }
            StmtKind::Block(block) => self.block(block),
        }
    }

    fn headed(&mut self, head: &str, condition: &Expr, body: &Block) {
        self.push(head);
        self.expr(condition, 0);
        self.push(") ");
        self.block(body);
    }

    fn if_statement(&mut self, condition: &Expr, then: &Block, otherwise: Option<&Block>) {
        self.headed("if (", condition, then);
        let Some(otherwise) = otherwise else { return };
        self.push(" else ");
        match otherwise.stmts.as_slice() {
            [only] => match &only.node {
                StmtKind::If { condition, then, otherwise } => self.if_statement(condition, then, otherwise.as_ref()),
                _ => self.block(otherwise),
            },
            _ => self.block(otherwise),
        }
    }

    /// An `if` as a value.
    pub(super) fn if_value(&mut self, condition: &Expr, then: &Block, otherwise: Option<&Block>) {
        self.headed("if (", condition, then);
        let Some(otherwise) = otherwise else { return };
        self.push(" else ");
        match (otherwise.stmts.as_slice(), otherwise.value.as_deref().map(|value| &value.node)) {
            ([], Some(ExprKind::If { condition, then, otherwise })) => {
                self.if_value(condition, then, otherwise.as_ref());
            }
            _ => self.block(otherwise),
        }
    }

    /// An expression at the start of a statement, where `{` and `if` would be read as statements.
    fn standing_alone(&mut self, expr: &Expr) {
        let is_block = matches!(expr.node, ExprKind::If { .. } | ExprKind::Block(_));
        let mark = self.line_mark();
        self.expr(expr, 0);
        let text = self.since(mark);
        if !is_block && (text.starts_with('{') || text.starts_with("if (")) {
            self.enclose(mark);
        }
    }
}
