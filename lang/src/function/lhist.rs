//! `lhist(value, min, max, step)`: a histogram with buckets of equal width.

use std::rc::Rc;

use report::lhist::{Linear, MAX_BUCKETS};
use report::schema::ValueKind;

use super::Function;
use super::aggregation::{add_to_bucket, aggregate};
use crate::check::{Call, Checker};
use crate::hir::{Aggregate, Expr};
use crate::ir::{Cmp, Op, Operand, VReg};
use crate::lower::Lowerer;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "lhist",
    signature: "lhist(int value, const int min, const int max, const int step)",
    summary: "A histogram of buckets of equal width between min and max, and one bucket below and one above.",
    example: "kretprobe:vfs_read { @bytes = lhist(retval, 0, 2000, 200); }",
    args: (4, 4),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let value = checker.integer_arg(call, 0);
    let (Some(min), Some(max), Some(step)) =
        (checker.constant_arg(call, 1, None), checker.constant_arg(call, 2, None), checker.constant_arg(call, 3, None))
    else {
        return Expr::poison(call.span);
    };
    let wrong = |index: usize, what: String| (call.args.get(index).map_or(call.span, |arg| arg.span), what);
    let inner = i128::from(MAX_BUCKETS) - 2;
    let problem = if step < 1 {
        Some(wrong(3, "the step of `lhist` is at least 1".into()))
    } else if min >= max {
        Some(wrong(2, format!("the max of `lhist` is above its min, which is {min}")))
    } else if (i128::from(max) - i128::from(min)) / i128::from(step) > inner {
        Some(wrong(3, format!("`lhist` has at most {inner} buckets; this step makes more")))
    } else {
        None
    };
    if let Some((span, message)) = problem {
        return checker.error("E0507", span, message);
    }
    let signed = value.ty.is_signed() && value.constant().is_none_or(|n| n < 0);
    let kind = ValueKind::Lhist { min, max, step, signed };
    aggregate(call, Rc::new(Aggregate { name: "lhist", kind, value: Some(value), add }))
}

fn add(lowerer: &mut Lowerer<'_>, kind: &ValueKind, element: VReg, value: Operand) {
    let ValueKind::Lhist { min, max, step, .. } = *kind else { return };
    let buckets = Linear { min, max, step }.count();
    let index = index(lowerer, value, min, step, buckets);
    add_to_bucket(lowerer, element, value, index.into(), buckets);
}

/// The bucket, as [`Linear::index_of`] defines it.
fn index(lowerer: &mut Lowerer<'_>, value: Operand, min: i64, step: i64, buckets: u32) -> VReg {
    let b = &mut lowerer.b;
    let last = i64::from(buckets) - 1;
    let index = b.copy(0);
    let (inside, done) = (b.new_block(), b.new_block());
    b.branch(Cmp::SLt, value, min, done, inside);
    b.switch_to(inside);
    let distance = b.sub(value, min);
    let steps = if step == 1 { distance } else { b.bin(Op::UDiv, distance, step) };
    b.assign(index, last);
    let counted = b.new_block();
    b.branch(Cmp::UGe, steps, last, done, counted);
    b.switch_to(counted);
    let found = b.add(steps, 1);
    b.assign(index, found);
    b.jump(done);
    b.switch_to(done);
    index
}
