//! `x++` and its kin.

use super::Lowerer;
use super::storage::Storage;
use crate::hir::StepTarget;
use crate::ir::{Operand, VReg, Width};
use crate::types::Ty;

impl Lowerer<'_> {
    /// Counts up or down; the value before or after.
    pub(super) fn step(&mut self, target: &StepTarget, delta: i64, before: bool) -> Operand {
        match target {
            StepTarget::Var(var) => {
                let ty = self.probe().vars.get(var.0 as usize).cloned().unwrap_or(Ty::Unknown);
                let (old, new) = match self.variable(*var) {
                    Storage::Register(register) => {
                        let old = self.b.copy(register);
                        let new = self.stepped(old, delta, &ty);
                        self.b.assign(register, new);
                        (old, new)
                    }
                    Storage::Memory(place) => {
                        let old = self.load(place, &ty);
                        let new = self.stepped(old, delta, &ty);
                        self.store(place, &ty, new);
                        (old, new)
                    }
                };
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

    /// The next value, which wraps as its type does.
    fn stepped(&mut self, old: VReg, delta: i64, ty: &Ty) -> VReg {
        let new = self.b.add(old, delta);
        match ty {
            Ty::Int { bytes: bytes @ 1..=4, signed } => {
                let width = Width::from_bytes(u32::from(*bytes)).unwrap_or(Width::B8);
                self.b.extend(new, width, *signed)
            }
            _ => new,
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
