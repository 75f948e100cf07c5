//! The rules a function keeps between passes.
//!
//! 1. Every block, register and slot named exists; there is an entry block.
//! 2. Accesses to a slot stay inside it; so do the addresses made of it (one past its end is allowed).
//! 3. An atomic addition is 4 or 8 bytes wide; a helper gets as many arguments as it takes.
//! 4. Every register is assigned on all paths before it is read.
//! 5. A register that is assigned once and holds an address made by this function is only copied, offset, compared, loaded from
//!    or stored to. (Registers assigned more than once are not followed; the kernel's verifier does.)

use bpf::helper::Helper;

use super::{Base, BlockId, Function, Inst, Op, Operand, SlotId, Term, VReg, Width};
use crate::bits::BitSet;

/// A broken rule: a fault of the compiler, not of the script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{block}: {what}")]
pub struct Broken {
    /// Where.
    pub block: BlockId,
    /// Which rule, and by what.
    pub what: String,
}

/// Checks every rule.
pub fn verify(function: &Function) -> Result<(), Broken> {
    if function.blocks.is_empty() {
        return Err(Broken { block: BlockId(0), what: "there is no entry block".into() });
    }
    for (index, block) in function.blocks.iter().enumerate() {
        let broken = |what: String| Broken { block: BlockId(index as u32), what };
        for (inst, _) in &block.insts {
            shape(function, inst).map_err(|what| broken(format!("{inst}: {what}")))?;
        }
        let mut unknown = None;
        block.term.for_each_use(|register| unknown = unknown.or((register.0 >= function.vregs).then_some(register)));
        if let Some(register) = unknown {
            return Err(broken(format!("{}: there is no {register}", block.term)));
        }
        if let Some(target) = block.term.successors().find(|target| target.0 as usize >= function.blocks.len()) {
            return Err(broken(format!("{}: there is no {target}", block.term)));
        }
    }
    assigned(function)?;
    pointers(function)
}

fn shape(function: &Function, inst: &Inst) -> Result<(), String> {
    let mut unknown = inst.dst().filter(|register| register.0 >= function.vregs);
    inst.for_each_use(|register| unknown = unknown.or((register.0 >= function.vregs).then_some(register)));
    if let Some(register) = unknown {
        return Err(format!("there is no {register}"));
    }
    let inside = |slot: SlotId, offset: i32, bytes: u32| {
        let size = function.slots.get(slot.0 as usize).ok_or_else(|| format!("there is no {slot}"))?.size;
        let end = i64::from(offset) + i64::from(bytes);
        if offset >= 0 && end <= i64::from(size) {
            Ok(())
        } else {
            Err(format!("outside of the {size} bytes of {slot}"))
        }
    };
    match inst {
        Inst::Load { base: Base::Slot(slot), offset, width, .. }
        | Inst::Store { base: Base::Slot(slot), offset, width, .. } => inside(*slot, *offset, width.bytes()),
        Inst::AtomicAdd { width: Width::B1 | Width::B2, .. } => Err("not of 4 or 8 bytes".into()),
        Inst::AtomicAdd { base: Base::Slot(slot), offset, width, .. } => inside(*slot, *offset, width.bytes()),
        Inst::SlotAddr { slot, offset, .. } => inside(*slot, *offset, 0),
        Inst::Call { helper, args, .. } if args.len() != helper.arg_count() => {
            Err(format!("the helper takes {} arguments", helper.arg_count()))
        }
        Inst::CallKernel { args, .. } if args.len() > MOST_ARGUMENTS => {
            Err(format!("a function of the kernel takes at most {MOST_ARGUMENTS} arguments"))
        }
        _ => Ok(()),
    }
}

/// How many registers arguments are handed over in.
const MOST_ARGUMENTS: usize = 5;

/// Rule 4, by the set of registers that are assigned whenever a block is entered.
fn assigned(function: &Function) -> Result<(), Broken> {
    let order = function.reverse_postorder();
    let registers = function.vregs as usize;
    let mut at_entry: Vec<Option<BitSet>> = vec![None; function.blocks.len()];
    at_entry.iter_mut().take(1).for_each(|entry| *entry = Some(BitSet::new(registers)));
    let mut changed = true;
    while changed {
        changed = false;
        for id in &order {
            let Some(block) = function.blocks.get(id.0 as usize) else { continue };
            let Some(mut state) = at_entry.get(id.0 as usize).cloned().flatten() else { continue };
            block.insts.iter().filter_map(|(inst, _)| inst.dst()).for_each(|dst| state.insert(dst.0 as usize));
            for target in block.term.successors() {
                match at_entry.get_mut(target.0 as usize) {
                    Some(Some(known)) => changed |= known.intersect(&state),
                    Some(entry) => {
                        *entry = Some(state.clone());
                        changed = true;
                    }
                    None => {}
                }
            }
        }
    }
    for id in order {
        let Some(block) = function.blocks.get(id.0 as usize) else { continue };
        let Some(mut state) = at_entry.get_mut(id.0 as usize).and_then(Option::take) else { continue };
        let broken = |register: VReg, text: String| Broken {
            block: id,
            what: format!("{text}: {register} may not be assigned"),
        };
        for (inst, _) in &block.insts {
            let mut missing = None;
            inst.for_each_use(|register| {
                missing = missing.or((!state.contains(register.0 as usize)).then_some(register))
            });
            if let Some(register) = missing {
                return Err(broken(register, inst.to_string()));
            }
            inst.dst().into_iter().for_each(|dst| state.insert(dst.0 as usize));
        }
        let mut missing = None;
        block
            .term
            .for_each_use(|register| missing = missing.or((!state.contains(register.0 as usize)).then_some(register)));
        if let Some(register) = missing {
            return Err(broken(register, block.term.to_string()));
        }
    }
    Ok(())
}

/// Rule 5.
fn pointers(function: &Function) -> Result<(), Broken> {
    let once = function.assigned_once();
    let mut is_pointer = BitSet::new(function.vregs as usize);
    for id in function.reverse_postorder() {
        let Some(block) = function.blocks.get(id.0 as usize) else { continue };
        for (inst, _) in &block.insts {
            let of =
                |operand: &Operand| operand.register().is_some_and(|register| is_pointer.contains(register.0 as usize));
            let result = match inst {
                Inst::Bin { op: Op::Add, a, b, .. } if of(a) != of(b) => true,
                Inst::Bin { op: Op::Sub, a, b: Operand::Imm(_), .. } if of(a) => true,
                // The distance of two places in one object.
                Inst::Bin { op: Op::Sub, a, b, .. } if of(a) && of(b) => false,
                Inst::Bin { a, b, .. } if of(a) || of(b) => {
                    return Err(Broken { block: id, what: format!("{inst}: arithmetic on an address") });
                }
                Inst::Extend { value, .. } if of(value) => {
                    return Err(Broken { block: id, what: format!("{inst}: arithmetic on an address") });
                }
                Inst::Copy { value, .. } => of(value),
                Inst::SlotAddr { .. } | Inst::MapAddr { .. } | Inst::MapValueAddr { .. } | Inst::Context { .. } => true,
                Inst::FunctionAddr { .. } => true,
                Inst::Call { helper: Helper::MapLookupElem | Helper::RingbufReserve | Helper::TaskPtRegs, .. } => true,
                _ => false,
            };
            if let Some(dst) = inst.dst().filter(|dst| result && once.contains(*dst)) {
                is_pointer.insert(dst.0 as usize);
            }
        }
        if let Term::Exit(Operand::Reg(register)) = block.term
            && is_pointer.contains(register.0 as usize)
        {
            return Err(Broken { block: id, what: format!("{}: an address as the result", block.term) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Builder, Cmp, MapRef};

    fn refused(build: impl FnOnce(&mut Builder)) -> String {
        let mut b = Builder::new();
        build(&mut b);
        verify(&b.finish()).unwrap_err().to_string()
    }

    #[test]
    fn a_register_assigned_on_one_path_only_is_refused() {
        let what = refused(|b| {
            let (then, join) = (b.new_block(), b.new_block());
            let value = b.vreg();
            b.branch(Cmp::Eq, 1, 2, then, join);
            b.switch_to(then);
            b.assign(value, 7);
            b.jump(join);
            b.switch_to(join);
            b.exit(value);
        });
        assert_eq!(what, "bb2: exit v0: v0 may not be assigned");
    }

    #[test]
    fn a_register_assigned_on_both_paths_is_accepted() {
        let mut b = Builder::new();
        let (then, otherwise, join) = (b.new_block(), b.new_block(), b.new_block());
        let value = b.vreg();
        b.branch(Cmp::Eq, 1, 2, then, otherwise);
        for (block, constant) in [(then, 1), (otherwise, 2)] {
            b.switch_to(block);
            b.assign(value, constant);
            b.jump(join);
        }
        b.switch_to(join);
        b.exit(value);
        assert_eq!(verify(&b.finish()), Ok(()));
    }

    #[test]
    fn accesses_outside_of_a_slot_are_refused() {
        let what = refused(|b| {
            let slot = b.slot(4);
            b.store(slot, 2, Width::B4, 0);
        });
        assert_eq!(what, "bb0: u32[slot0 + 2] = 0: outside of the 4 bytes of slot0");
    }

    #[test]
    fn arithmetic_on_addresses_is_refused() {
        let what = refused(|b| {
            let context = b.context();
            b.mul(context, 2);
        });
        assert_eq!(what, "bb0: v1 = v0 * 2: arithmetic on an address");
    }

    #[test]
    fn a_call_with_too_few_arguments_is_refused() {
        let what = refused(|b| {
            let map = b.map_addr(MapRef(0));
            b.call(Helper::MapLookupElem, &[map.into()]);
        });
        assert_eq!(what, "bb0: v1 = MapLookupElem(v0): the helper takes 2 arguments");
    }
}
