//! What arithmetic and conditions of the BPF machine give, as its instruction set document says.

use bpf::opcode::{Alu, Jump};

/// Whether a jump is taken.
pub fn holds(jump: Jump, a: u64, b: u64) -> bool {
    let (signed_a, signed_b) = (a as i64, b as i64);
    match jump {
        Jump::Always => true,
        Jump::Eq => a == b,
        Jump::Ne => a != b,
        Jump::Gt => a > b,
        Jump::Ge => a >= b,
        Jump::Lt => a < b,
        Jump::Le => a <= b,
        Jump::Set => a & b != 0,
        Jump::SGt => signed_a > signed_b,
        Jump::SGe => signed_a >= signed_b,
        Jump::SLt => signed_a < signed_b,
        Jump::SLe => signed_a <= signed_b,
        Jump::Call | Jump::Exit => unreachable!("handled before"),
    }
}

/// The result of an operation on 64 bits.
pub fn alu(op: Alu, a: u64, b: u64) -> u64 {
    match op {
        Alu::Add => a.wrapping_add(b),
        Alu::Sub => a.wrapping_sub(b),
        Alu::Mul => a.wrapping_mul(b),
        Alu::Div => a.checked_div(b).unwrap_or(0),
        Alu::Mod => a.checked_rem(b).unwrap_or(a),
        Alu::Or => a | b,
        Alu::And => a & b,
        Alu::Xor => a ^ b,
        Alu::Lsh => a << (b & 63),
        Alu::Rsh => a >> (b & 63),
        Alu::Arsh => (a as i64 >> (b & 63)) as u64,
        Alu::Mov => b,
        Alu::Neg => a.wrapping_neg(),
        Alu::End => panic!("of 32 bits only"),
    }
}
