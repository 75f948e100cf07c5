//! The text form of a function, for `-d` and tests: one line per block label and instruction.

use std::fmt::{Display, Formatter, Result};

use super::{Base, Cmp, Function, Inst, Op, Operand, Term, Width};

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, slot) in self.slots.iter().enumerate() {
            writeln!(f, "slot{index}: {} bytes", slot.size)?;
        }
        for (index, block) in self.blocks.iter().enumerate() {
            writeln!(f, "bb{index}:")?;
            for (inst, _) in &block.insts {
                writeln!(f, "    {inst}")?;
            }
            writeln!(f, "    {}", block.term)?;
        }
        Ok(())
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Operand::Reg(register) => write!(f, "{register}"),
            Operand::Imm(value) => write!(f, "{value}"),
        }
    }
}

impl Display for Base {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Base::Reg(register) => write!(f, "{register}"),
            Base::Slot(slot) => write!(f, "{slot}"),
        }
    }
}

impl Display for Width {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", self.bits())
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
            Op::UDiv => "/",
            Op::UMod => "%",
            Op::And => "&",
            Op::Or => "|",
            Op::Xor => "^",
            Op::Shl => "<<",
            Op::LShr => ">>",
            Op::AShr => "s>>",
        })
    }
}

impl Display for Cmp {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Cmp::Eq => "==",
            Cmp::Ne => "!=",
            Cmp::ULt => "<",
            Cmp::ULe => "<=",
            Cmp::UGt => ">",
            Cmp::UGe => ">=",
            Cmp::SLt => "s<",
            Cmp::SLe => "s<=",
            Cmp::SGt => "s>",
            Cmp::SGe => "s>=",
        })
    }
}

/// `s` for a signed, `u` for an unsigned access.
fn sign(signed: bool) -> char {
    if signed { 's' } else { 'u' }
}

impl Display for Inst {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Inst::Copy { dst, value } => write!(f, "{dst} = {value}"),
            Inst::Bin { dst, op, a, b } => write!(f, "{dst} = {a} {op} {b}"),
            Inst::Extend { dst, value, width, signed } => write!(f, "{dst} = {}{width} {value}", sign(*signed)),
            Inst::Swap { dst, value, width } => write!(f, "{dst} = swap{width} {value}"),
            Inst::Set { dst, cmp, a, b } => write!(f, "{dst} = {a} {cmp} {b}"),
            Inst::Load { dst, base, offset, width, signed } => {
                write!(f, "{dst} = {}{width}[{base} + {offset}]", sign(*signed))
            }
            Inst::Store { base, offset, width, value } => write!(f, "u{width}[{base} + {offset}] = {value}"),
            Inst::AtomicAdd { base, offset, width, value } => {
                write!(f, "lock u{width}[{base} + {offset}] += {value}")
            }
            Inst::SlotAddr { dst, slot, offset } => write!(f, "{dst} = &{slot} + {offset}"),
            Inst::MapAddr { dst, map } => write!(f, "{dst} = &{map}"),
            Inst::MapValueAddr { dst, map, offset } => write!(f, "{dst} = &{map}[0] + {offset}"),
            Inst::Context { dst } => write!(f, "{dst} = context"),
            Inst::Argument { dst, index } => write!(f, "{dst} = argument {index}"),
            Inst::FunctionAddr { dst, function } => write!(f, "{dst} = &{function}"),
            Inst::Call { dst, helper, args } => {
                if let Some(dst) = dst {
                    write!(f, "{dst} = ")?;
                }
                write!(f, "{helper:?}")?;
                arguments(f, args)
            }
            Inst::CallKernel { dst, function, args } => {
                write!(f, "{dst} = kernel[{function}]")?;
                arguments(f, args)
            }
        }
    }
}

fn arguments(f: &mut Formatter<'_>, args: &[Operand]) -> Result {
    f.write_str("(")?;
    for (index, arg) in args.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{arg}")?;
    }
    f.write_str(")")
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Term::Jump(target) => write!(f, "goto {target}"),
            Term::Branch { cmp, a, b, then, otherwise } => {
                write!(f, "if {a} {cmp} {b} goto {then} else {otherwise}")
            }
            Term::Exit(value) => write!(f, "exit {value}"),
        }
    }
}
