//! Sign and zero extensions that nobody looks at: where every use takes fewer bits than are extended.

use crate::ir::{Function, Inst, Op, Operand, VReg, Width};

/// One pass over the function; whether it changed anything.
pub(super) fn narrow(function: &mut Function) -> bool {
    let demanded = demanded(function);
    let once = function.assigned_once();
    let mut changed = false;
    for (inst, _) in function.blocks.iter_mut().flat_map(|block| &mut block.insts) {
        let Some(VReg(dst)) = inst.dst().filter(|dst| once.contains(*dst)) else { continue };
        let bits = demanded.get(dst as usize).copied().unwrap_or(64);
        match *inst {
            Inst::Extend { dst, value, width, .. } if bits <= width.bits() => {
                *inst = Inst::Copy { dst, value };
                changed = true;
            }
            Inst::Load { width, signed: ref mut signed @ true, .. } if bits <= width.bits() && width != Width::B8 => {
                *signed = false;
                changed = true;
            }
            _ => {}
        }
    }
    changed
}

/// For each register the most low bits that any use takes.
fn demanded(function: &Function) -> Vec<u32> {
    let mut demanded = vec![0u32; function.vregs as usize];
    let mut demand = |register: VReg, bits: u32| {
        if let Some(most) = demanded.get_mut(register.0 as usize) {
            *most = bits.max(*most);
        }
    };
    for block in &function.blocks {
        for (inst, _) in &block.insts {
            match *inst {
                Inst::Store { base, width, value: Operand::Reg(value), .. } => {
                    demand(value, width.bits());
                    base.register().into_iter().for_each(|base| demand(base, 64));
                }
                Inst::Extend { value: Operand::Reg(value), width, .. } => demand(value, width.bits()),
                Inst::Bin { op: Op::And, a: Operand::Reg(value), b: Operand::Imm(mask), .. } if mask >= 0 => {
                    demand(value, 64 - mask.leading_zeros());
                }
                _ => inst.for_each_use(|register| demand(register, 64)),
            }
        }
        block.term.for_each_use(|register| demand(register, 64));
    }
    demanded
}
