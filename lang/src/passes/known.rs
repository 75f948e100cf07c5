//! What is known of the registers that are assigned once.

use bpf::helper::Helper;

use crate::ir::{Base, Cmp, Function, Inst, MapRef, Once, Op, Operand, SlotId, VReg, Width};

/// How a register was made. Registers named in it are assigned once themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Made {
    Copy(Operand),
    Bin(Op, Operand, Operand),
    Extend(Width, bool),
    Set(Cmp, Operand, Operand),
    Load(Width, bool),
    Slot(SlotId, i32),
    MapValue(MapRef, u32),
    Call(Helper),
}

/// One entry for each register.
#[derive(Debug)]
pub(super) struct Known {
    once: Once,
    made: Vec<Option<Made>>,
    /// Copies under way in the current block, of registers assigned more than once.
    local: Vec<(VReg, Operand)>,
    slot_sizes: Vec<u32>,
}

impl Known {
    /// Nothing is known yet but how often registers are assigned.
    pub fn new(function: &Function) -> Self {
        Self {
            once: function.assigned_once(),
            made: vec![None; function.vregs as usize],
            local: Vec::new(),
            slot_sizes: function.slots.iter().map(|slot| slot.size).collect(),
        }
    }

    /// Whether the operand means the same wherever it may be read.
    pub fn is_stable(&self, operand: Operand) -> bool {
        self.once.is_stable(operand)
    }

    /// How a register was made, if it is assigned once and that was seen.
    pub fn made(&self, register: VReg) -> Option<Made> {
        self.made.get(register.0 as usize).copied().flatten()
    }

    /// How the operand was made, if it is such a register.
    pub fn made_operand(&self, operand: Operand) -> Option<Made> {
        self.made(operand.register()?)
    }

    /// Whether an address is inside of a slot or one past its end.
    pub fn is_in_slot(&self, slot: SlotId, offset: i64) -> bool {
        self.slot_sizes.get(slot.0 as usize).is_some_and(|size| (0..=i64::from(*size)).contains(&offset))
    }

    /// Forgets what held in the last block only.
    pub fn enter_block(&mut self) {
        self.local.clear();
    }

    /// Takes note of an instruction.
    pub fn note(&mut self, inst: &Inst) {
        let Some(dst) = inst.dst() else { return };
        self.local.retain(|(register, value)| *register != dst && value.register() != Some(dst));
        let made = match *inst {
            Inst::Copy { value, .. } => {
                // A register that several ways lead to is read itself: its source would have to live on beside it.
                let useful = value.constant().is_some() || self.is_stable(dst.into()) && !self.is_stable(value);
                if useful && value != Operand::Reg(dst) {
                    self.local.push((dst, value));
                }
                Made::Copy(value)
            }
            Inst::Bin { op, a, b, .. } => Made::Bin(op, a, b),
            Inst::Extend { width, signed, .. } => Made::Extend(width, signed),
            Inst::Set { cmp, a, b, .. } => Made::Set(cmp, a, b),
            Inst::Load { width, signed, .. } => Made::Load(width, signed),
            Inst::SlotAddr { slot, offset, .. } => Made::Slot(slot, offset),
            Inst::MapValueAddr { map, offset, .. } => Made::MapValue(map, offset),
            Inst::Call { helper, .. } => Made::Call(helper),
            _ => return,
        };
        let stable = match made {
            Made::Copy(a) => self.is_stable(a),
            Made::Bin(_, a, b) | Made::Set(_, a, b) => self.is_stable(a) && self.is_stable(b),
            _ => true,
        };
        if let Some(entry) = self.made.get_mut(dst.0 as usize).filter(|_| stable)
            && self.once.contains(dst)
        {
            *entry = Some(made);
        }
    }

    /// The simplest operand that means the same here.
    pub fn resolve(&self, operand: Operand) -> Operand {
        let Operand::Reg(register) = operand else { return operand };
        if let Some(Made::Copy(value)) = self.made(register) {
            return value;
        }
        self.local.iter().find(|(copy, _)| *copy == register).map_or(operand, |(_, value)| *value)
    }

    /// How many low bits of an operand may be set.
    pub fn bits(&self, operand: Operand) -> u32 {
        let constant_bits = |value: i64| 64 - value.leading_zeros();
        let register = match operand {
            Operand::Imm(value) => return constant_bits(value),
            Operand::Reg(register) => register,
        };
        match self.made(register) {
            Some(Made::Load(width, false) | Made::Extend(width, false)) => width.bits(),
            Some(Made::Set(..)) => 1,
            Some(Made::Bin(Op::And, _, Operand::Imm(mask))) if mask >= 0 => constant_bits(mask),
            Some(Made::Bin(Op::LShr, _, Operand::Imm(by))) => 64 - (by as u32 & 63),
            Some(Made::Call(Helper::GetPrandomU32 | Helper::GetSmpProcessorId)) => 32,
            _ => 64,
        }
    }

    /// Whether an operand is the same number after its low `width` was sign extended.
    pub fn is_sign_extended(&self, operand: Operand, width: Width) -> bool {
        let made_so = match self.made_operand(operand) {
            Some(Made::Load(from, true) | Made::Extend(from, true)) => from <= width,
            _ => false,
        };
        made_so || self.bits(operand) < width.bits()
    }

    /// An address as the base of a load or store: nearer to what it was made of.
    pub fn base(&self, base: Base, offset: i32) -> (Base, i32) {
        let Base::Reg(register) = base else { return (base, offset) };
        match self.made(register) {
            Some(Made::Copy(Operand::Reg(original))) => (original.into(), offset),
            Some(Made::Bin(Op::Add, Operand::Reg(start), Operand::Imm(by))) => {
                let sum = by.checked_add(i64::from(offset)).and_then(|sum| i16::try_from(sum).ok());
                sum.map_or((base, offset), |sum| (start.into(), i32::from(sum)))
            }
            Some(Made::Slot(slot, start)) => match start.checked_add(offset) {
                Some(sum) => (slot.into(), sum),
                None => (base, offset),
            },
            _ => match self.resolve(register.into()) {
                Operand::Reg(original) => (original.into(), offset),
                Operand::Imm(_) => (base, offset),
            },
        }
    }
}
