//! `hist(value, bits)`: a histogram with buckets at powers of two.

use std::rc::Rc;

use report::hist::{Log2, MAX_BITS};
use report::schema::ValueKind;

use super::Function;
use super::aggregation::{add_to_bucket, aggregate};
use crate::check::{Call, Checker};
use crate::hir::{Aggregate, Expr};
use crate::ir::{Cmp, Operand, VReg};
use crate::lower::Lowerer;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "hist",
    signature: "hist(int value, const int bits = 0)",
    summary: "A histogram whose buckets are powers of two, each split into 2^bits (at most 32).",
    example: "tracepoint:raw_syscalls:sys_exit /args.ret > 0/ { @ = hist(args.ret); }",
    args: (1, 2),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let value = checker.integer_arg(call, 0);
    let Some(bits) = checker.constant_arg(call, 1, Some(0)) else { return Expr::poison(call.span) };
    let Some(bits) = u8::try_from(bits).ok().filter(|bits| *bits <= MAX_BITS) else {
        let span = call.args.get(1).map_or(call.span, |arg| arg.span);
        return checker.error("E0506", span, format!("the bits of `hist` are 0 to {MAX_BITS}"));
    };
    let signed = value.ty.is_signed() && value.constant().is_none_or(|n| n < 0);
    let kind = ValueKind::Hist { bits, signed };
    aggregate(call, Rc::new(Aggregate { name: "hist", kind, value: Some(value), add }))
}

fn add(lowerer: &mut Lowerer<'_>, kind: &ValueKind, element: VReg, value: Operand) {
    let ValueKind::Hist { bits, .. } = *kind else { return };
    let index = index(lowerer, value, bits);
    add_to_bucket(lowerer, element, value, index.into(), Log2 { bits }.count());
}

/// The bucket, as [`Log2::index_of`] defines it: what is left of the value once it is shifted down to its `bits + 1` highest
/// bits, and by how many it was shifted, side by side.
fn index(lowerer: &mut Lowerer<'_>, value: Operand, bits: u8) -> VReg {
    let b = &mut lowerer.b;
    let index = b.copy(0);
    let (counted, large, done) = (b.new_block(), b.new_block(), b.new_block());
    b.branch(Cmp::SLt, value, 0, done, counted);

    b.switch_to(counted);
    let exact = b.add(value, 1);
    b.assign(index, exact);
    b.branch(Cmp::ULt, value, 1i64 << bits, done, large);

    b.switch_to(large);
    let rest = b.copy(value);
    let shift = b.copy(0);
    for step in [32u32, 16, 8, 4, 2, 1] {
        let (more, next) = (b.new_block(), b.new_block());
        // The shift leaves the highest set bit at position `bits`.
        let limit = step + u32::from(bits);
        if limit >= 63 {
            continue;
        }
        b.branch(Cmp::UGe, rest, 1i64 << limit, more, next);
        b.switch_to(more);
        let lower = b.lshr(rest, i64::from(step));
        b.assign(rest, lower);
        let sum = b.add(shift, i64::from(step));
        b.assign(shift, sum);
        b.jump(next);
        b.switch_to(next);
    }
    let power = b.add(shift, 1);
    let first = b.shl(power, i64::from(bits));
    let part = b.and(rest, (1i64 << bits) - 1);
    let within = b.add(first, part);
    let found = b.add(within, 1);
    b.assign(index, found);
    b.jump(done);
    b.switch_to(done);
    index
}
