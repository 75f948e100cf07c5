//! `x++` and its kin.

use super::Lowerer;
use super::storage::Storage;
use crate::hir::StepTarget;
use crate::ir::Operand;

impl Lowerer<'_> {
    /// Counts up or down; the value before or after.
    pub(super) fn step(&mut self, target: &StepTarget, delta: i64, before: bool) -> Operand {
        match target {
            StepTarget::Var(var) => {
                let Storage::Register(register) = self.variable(*var) else { return Operand::Imm(0) };
                let old = self.b.copy(register);
                let new = self.b.add(old, delta);
                self.b.assign(register, new);
                if before { new.into() } else { old.into() }
            }
            StepTarget::Map(map, key) => {
                let ty = self.map_info(*map).value.clone();
                let old = self.map_scalar(*map, key.as_ref(), &ty);
                self.add_to_map(*map, key.as_ref(), Operand::Imm(delta));
                if before { self.b.add(old, delta).into() } else { old }
            }
        }
    }

    /// Counts up or down for nothing else.
    pub(super) fn step_effect(&mut self, target: &StepTarget, delta: i64) {
        match target {
            StepTarget::Var(_) => {
                self.step(target, delta, false);
            }
            StepTarget::Map(map, key) => self.add_to_map(*map, key.as_ref(), Operand::Imm(delta)),
        }
    }
}
