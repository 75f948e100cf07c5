//! Statements.

use super::memory::{Fill, Place};
use super::storage::Storage;
use super::{Loop, Lowerer};
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprKind, Stmt, StmtKind, Turns, Var};
use crate::ir::{Cmp, Operand};
use crate::types::Ty;

impl Lowerer<'_> {
    pub(super) fn stmts(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            self.stmt(stmt);
        }
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt) {
        let Some(left) = self.budget.checked_sub(1) else { return };
        self.budget = left;
        if left == 0 {
            let message = "the program is too long once its loops are unrolled";
            self.report(Diagnostic::error("E0805", stmt.span, message).help("unroll fewer times, or use `while`"));
        }
        let span = self.b.set_span(stmt.span);
        let mark = self.temp_mark();
        match &stmt.kind {
            StmtKind::Expr(e) => self.effect(e),
            StmtKind::SetVar { var, value } => self.set_variable(*var, value),
            StmtKind::SetMap { map, key, value } => self.set_map(*map, key.as_ref(), value),
            StmtKind::AddMap { map, key, value, subtract } => {
                let value = self.scalar(value);
                let value = if *subtract { self.negate(value) } else { value };
                self.add_to_map(*map, key.as_ref(), value);
            }
            StmtKind::Aggregate { map, key, aggregate } => self.aggregate(*map, key.as_ref(), aggregate),
            StmtKind::If { condition, then, otherwise } => self.if_else(condition, then, otherwise),
            StmtKind::While { condition, body, turns: Turns::Jumped } => self.while_loop(condition, body),
            StmtKind::While { condition, body, turns: Turns::Called } => self.while_called(condition, body),
            StmtKind::Unroll { count, body } => {
                let done = self.b.new_block();
                for _ in 0..*count {
                    let next = self.b.new_block();
                    self.loops.push(Loop { done, next });
                    self.stmts(body);
                    self.loops.pop();
                    self.b.jump(next);
                    self.b.switch_to(next);
                }
                self.b.jump(done);
                self.b.switch_to(done);
            }
            StmtKind::ForRange { var, start, end, body, turns: Turns::Jumped } => {
                self.for_range(*var, start, end, body);
            }
            StmtKind::ForRange { var, start, end, body, turns: Turns::Called } => {
                self.range_called(*var, start, end, body);
            }
            StmtKind::ForMap { var, map, body } => self.map_called(*var, *map, body),
            StmtKind::Break | StmtKind::Continue => {
                if let Some(inner) = self.loops.last().copied() {
                    let target = if matches!(stmt.kind, StmtKind::Break) { inner.done } else { inner.next };
                    self.b.jump(target);
                    let unreachable = self.b.new_block();
                    self.b.switch_to(unreachable);
                }
            }
            StmtKind::Return(value) => {
                if let Some((value, result)) = value.as_ref().zip(self.result) {
                    let value = self.scalar(value);
                    self.b.assign(result, value);
                }
                self.leave();
            }
            StmtKind::Block(stmts) => self.stmts(stmts),
        }
        self.release_temps(mark);
        self.b.set_span(span);
    }

    /// An expression whose value nobody wants.
    pub fn effect(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Ternary { condition, then, otherwise } => {
                let (yes, no, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
                self.branch(condition, yes, no);
                self.b.switch_to(yes);
                self.effect(then);
                self.b.jump(done);
                self.b.switch_to(no);
                self.effect(otherwise);
                self.b.jump(done);
                self.b.switch_to(done);
            }
            ExprKind::Block { stmts, value } => {
                for stmt in stmts {
                    self.stmt(stmt);
                }
                self.effect(value);
            }
            ExprKind::Step { target, delta, .. } => self.step_effect(target, *delta),
            _ if e.ty == Ty::Void || e.ty.is_scalar() || e.ty.is_unknown() => {
                self.scalar(e);
            }
            _ => {
                self.place(e);
            }
        }
    }

    /// Sets a variable to a value of type `ty` that is in memory.
    pub fn set_variable_from(&mut self, var: Var, from: Place, ty: &Ty) {
        let own = self.probe().vars.get(var.0 as usize).cloned().unwrap_or(Ty::Unknown);
        match self.variable(var) {
            Storage::Register(register) => {
                let value = self.load(from, ty);
                let value = self.operand_as(value.into(), ty, &own);
                self.b.assign(register, value);
            }
            Storage::Memory(to) if own.is_scalar() => {
                let value = self.load(from, ty);
                let value = self.operand_as(value.into(), ty, &own);
                self.store(to, &own, value);
            }
            Storage::Memory(to) => self.convert(from, ty, to, &own, Fill::Zeros),
        }
    }

    fn set_variable(&mut self, var: Var, value: &Expr) {
        let probe = self.probe;
        let ty = probe.vars.get(var.0 as usize).cloned().unwrap_or(Ty::Unknown);
        if value.ty.is_unknown() {
            return self.clear_variable(var, &ty);
        }
        match self.variable(var) {
            Storage::Register(register) => {
                let value = self.scalar_as(value, &ty);
                self.b.assign(register, value);
            }
            Storage::Memory(place) if ty.is_scalar() => {
                let value = self.scalar_as(value, &ty);
                self.store(place, &ty, value);
            }
            Storage::Memory(place) => self.write(value, place, &ty, Fill::Zeros),
        }
    }

    fn if_else(&mut self, condition: &Expr, then: &[Stmt], otherwise: &[Stmt]) {
        let (yes, no, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.branch(condition, yes, no);
        self.b.switch_to(yes);
        self.stmts(then);
        self.b.jump(done);
        self.b.switch_to(no);
        self.stmts(otherwise);
        self.b.jump(done);
        self.b.switch_to(done);
    }

    fn while_loop(&mut self, condition: &Expr, body: &[Stmt]) {
        let (test, inside, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.jump(test);
        self.b.switch_to(test);
        let mark = self.temp_mark();
        self.branch(condition, inside, done);
        self.release_temps(mark);
        self.b.switch_to(inside);
        self.loops.push(Loop { done, next: test });
        self.stmts(body);
        self.loops.pop();
        self.b.jump(test);
        self.b.switch_to(done);
    }

    /// The loop's bounds are read once; the verifier follows all turns.
    fn for_range(&mut self, var: Var, start: &Expr, end: &Expr, body: &[Stmt]) {
        let (start, end) = (self.scalar(start), self.scalar(end));
        let counter = self.b.copy(start);
        let end = self.b.copy(end);
        let (test, inside, next, done) =
            (self.b.new_block(), self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.jump(test);
        self.b.switch_to(test);
        self.b.branch(Cmp::SLt, counter, end, inside, done);
        self.b.switch_to(inside);
        self.set_counter(var, counter);
        self.loops.push(Loop { done, next });
        self.stmts(body);
        self.loops.pop();
        self.b.jump(next);
        self.b.switch_to(next);
        let more = self.b.add(counter, Operand::Imm(1));
        self.b.assign(counter, more);
        self.b.jump(test);
        self.b.switch_to(done);
    }
}
