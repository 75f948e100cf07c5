//! Constants and copies reach their uses, and what becomes simpler by that is simplified.

use super::fold::{fold, fold_term};
use super::known::Known;
use crate::ir::{Function, Inst, Operand};

/// One pass over the function; whether it changed anything.
pub(super) fn propagate(function: &mut Function) -> bool {
    let mut known = Known::new(function);
    let mut changed = false;
    for id in function.reverse_postorder() {
        let Some(block) = function.blocks.get_mut(id.0 as usize) else { continue };
        known.enter_block();
        for (inst, _) in &mut block.insts {
            changed |= substitute(inst, &known);
            while let Some(simpler) = fold(inst, &known) {
                *inst = simpler;
                changed = true;
            }
            known.note(inst);
        }
        block.insts.retain(|(inst, _)| !matches!(inst, Inst::Copy { dst, value } if *value == Operand::Reg(*dst)));
        block.term.for_each_operand_mut(|operand| changed |= resolve(operand, &known));
        while let Some(simpler) = fold_term(&block.term, &known) {
            block.term = simpler;
            changed = true;
        }
    }
    changed
}

fn resolve(operand: &mut Operand, known: &Known) -> bool {
    let simplest = known.resolve(*operand);
    let changed = simplest != *operand;
    *operand = simplest;
    changed
}

fn substitute(inst: &mut Inst, known: &Known) -> bool {
    let mut changed = false;
    inst.for_each_operand_mut(|operand| changed |= resolve(operand, known));
    inst.for_each_register_mut(|register| {
        if let Operand::Reg(original) = known.resolve(Operand::Reg(*register))
            && original != *register
        {
            *register = original;
            changed = true;
        }
    });
    changed
}
