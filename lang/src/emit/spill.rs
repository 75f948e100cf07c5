//! Values that found no register: they live in stack slots and are loaded and stored around each use.
//!
//! A value that an instruction can make anew (a constant, an address) is made anew instead.
//! Slots are 8 bytes and aligned, so that the kernel's verifier keeps knowing what is in them.

use bpf::opcode::Size;

use super::machine::{Code, End, Inst, Place, Register, Value};
use crate::ir::{Slot, SlotId};
use crate::span::Span;

/// How a spilled value comes back.
#[derive(Clone, Copy)]
enum Home {
    Slot(SlotId),
    /// This instruction makes it, into any register.
    Anew(Inst),
}

/// Rewrites the code so that none of `spilled` (indices of virtual registers) is needed.
pub(super) fn spill(code: &mut Code, spilled: &[usize]) {
    let homes = homes(code, spilled);
    let mut blocks = std::mem::take(&mut code.blocks);
    for block in &mut blocks {
        let mut rewrite =
            Rewrite { code, homes: &homes, out: Vec::with_capacity(block.insts.len() + 8), span: Span::default() };
        for (inst, span) in std::mem::take(&mut block.insts) {
            rewrite.span = span;
            rewrite.inst(inst);
        }
        rewrite.span = block.end_span;
        rewrite.end(&mut block.end);
        block.insts = rewrite.out;
    }
    code.blocks = blocks;
}

fn homes(code: &mut Code, spilled: &[usize]) -> Vec<Option<Home>> {
    let mut homes = vec![None; code.registers as usize];
    let makers = makers(code);
    for index in spilled {
        let home = match makers.get(*index).copied().flatten() {
            Some(maker) => Home::Anew(maker),
            None => {
                code.slots.push(Slot { size: 8 });
                Home::Slot(SlotId(code.slots.len() as u32 - 1))
            }
        };
        if let Some(entry) = homes.get_mut(*index) {
            *entry = Some(home);
        }
    }
    homes
}

/// For each register with a single definition that can be repeated anywhere: that definition.
fn makers(code: &Code) -> Vec<Option<Inst>> {
    let mut makers = vec![None; code.registers as usize];
    let mut seen = vec![false; code.registers as usize];
    for (inst, _) in code.blocks.iter().flat_map(|block| &block.insts) {
        let Some(index) = inst.def().and_then(Register::virtual_index) else { continue };
        let (Some(maker), Some(seen)) = (makers.get_mut(index), seen.get_mut(index)) else { continue };
        let repeatable = matches!(inst, Inst::Const { .. } | Inst::Map { .. } | Inst::Frame { .. });
        *maker = (repeatable && !*seen).then_some(*inst);
        *seen = true;
    }
    makers
}

struct Rewrite<'a> {
    code: &'a mut Code,
    homes: &'a [Option<Home>],
    out: Vec<(Inst, Span)>,
    span: Span,
}

impl Rewrite<'_> {
    fn home(&self, register: Register) -> Option<Home> {
        self.homes.get(register.virtual_index()?).copied().flatten()
    }

    fn push(&mut self, inst: Inst) {
        self.out.push((inst, self.span));
    }

    /// `dst` = the value that has this home.
    fn fetch(&mut self, dst: Register, home: Home) {
        match home {
            Home::Slot(slot) => self.push(Inst::Load { dst, place: Place::Slot(slot), offset: 0, size: Size::B8 }),
            Home::Anew(mut maker) => {
                if let Some(def) = maker.def_mut() {
                    *def = dst;
                }
                self.push(maker);
            }
        }
    }

    fn store(&mut self, slot: SlotId, value: Value) {
        self.push(Inst::Store { place: Place::Slot(slot), offset: 0, size: Size::B8, value });
    }

    fn inst(&mut self, mut inst: Inst) {
        match inst {
            Inst::Move { dst, src } => match (self.home(dst), self.home(src)) {
                (None, Some(home)) => return self.fetch(dst, home),
                (Some(Home::Slot(slot)), None) => return self.store(slot, Value::Reg(src)),
                _ => {}
            },
            Inst::Const { dst, value } => {
                if let (Some(Home::Slot(slot)), Ok(value)) = (self.home(dst), i32::try_from(value)) {
                    return self.store(slot, Value::Imm(value));
                }
            }
            _ => {}
        }
        let mut stand_ins: Vec<(Register, Register)> = Vec::new();
        inst.for_each_use_mut(|register| *register = self.stand_in(*register, &mut stand_ins));
        let Some(dst) = inst.def_mut() else { return self.push(inst) };
        let (old, home) = match self.home(*dst) {
            Some(home) => (*dst, home),
            None => return self.push(inst),
        };
        let Home::Slot(slot) = home else { return };
        let known = stand_ins.iter().find(|(register, _)| *register == old).map(|(_, stand_in)| *stand_in);
        let register = match known {
            Some(register) => register,
            None => self.code.fresh(),
        };
        *dst = register;
        if inst.updates() && known.is_none() {
            self.fetch(register, home);
        }
        self.push(inst);
        self.store(slot, Value::Reg(register));
    }

    fn end(&mut self, end: &mut End) {
        let mut stand_ins = Vec::new();
        end.for_each_use_mut(|register| *register = self.stand_in(*register, &mut stand_ins));
    }

    /// The register that holds the value for one instruction; loaded if it is spilled.
    fn stand_in(&mut self, register: Register, stand_ins: &mut Vec<(Register, Register)>) -> Register {
        let Some(home) = self.home(register) else { return register };
        if let Some((_, stand_in)) = stand_ins.iter().find(|(other, _)| *other == register) {
            return *stand_in;
        }
        let stand_in = self.code.fresh();
        self.fetch(stand_in, home);
        stand_ins.push((register, stand_in));
        stand_in
    }
}
