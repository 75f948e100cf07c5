//! The machine's names for widths, operations and comparisons.

use bpf::opcode::{Alu, Jump, Size};

use crate::ir::{Cmp, Op, Width};

/// The size of a width.
pub(super) fn size(width: Width) -> Size {
    match width {
        Width::B1 => Size::B1,
        Width::B2 => Size::B2,
        Width::B4 => Size::B4,
        Width::B8 => Size::B8,
    }
}

/// The instruction of an operation.
pub(super) fn alu(op: Op) -> Alu {
    match op {
        Op::Add => Alu::Add,
        Op::Sub => Alu::Sub,
        Op::Mul => Alu::Mul,
        Op::UDiv => Alu::Div,
        Op::UMod => Alu::Mod,
        Op::And => Alu::And,
        Op::Or => Alu::Or,
        Op::Xor => Alu::Xor,
        Op::Shl => Alu::Lsh,
        Op::LShr => Alu::Rsh,
        Op::AShr => Alu::Arsh,
    }
}

/// The jump of a comparison.
pub(super) fn jump(cmp: Cmp) -> Jump {
    match cmp {
        Cmp::Eq => Jump::Eq,
        Cmp::Ne => Jump::Ne,
        Cmp::ULt => Jump::Lt,
        Cmp::ULe => Jump::Le,
        Cmp::UGt => Jump::Gt,
        Cmp::UGe => Jump::Ge,
        Cmp::SLt => Jump::SLt,
        Cmp::SLe => Jump::SLe,
        Cmp::SGt => Jump::SGt,
        Cmp::SGe => Jump::SGe,
    }
}
