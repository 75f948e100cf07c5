//! What the functions that aggregate into maps have in common.

use std::rc::Rc;

use report::schema::ValueKind;

use crate::check::{Call, Checker};
use crate::hir::{Aggregate, Expr, ExprKind};
use crate::ir::{Cmp, Operand, VReg, Width};
use crate::lower::Lowerer;
use crate::types::Ty;

/// The node of an aggregation.
pub fn aggregate(call: &Call<'_>, aggregate: Rc<Aggregate>) -> Expr {
    let ty = Ty::Aggregate(aggregate.kind.clone());
    Expr { kind: ExprKind::Aggregate(aggregate), ty, span: call.span }
}

/// The node of an aggregation of its first argument; `kind` makes the map's kind from the argument's signedness.
pub fn aggregate_value(
    checker: &mut Checker<'_>,
    call: &Call<'_>,
    name: &'static str,
    kind: impl FnOnce(bool) -> ValueKind,
    add: crate::hir::AddToElement,
) -> Expr {
    let value = checker.integer_arg(call, 0);
    // A constant says nothing about the sign of what else comes.
    let signed = value.ty.is_signed() && value.constant().is_none_or(|n| n < 0);
    aggregate(call, Rc::new(Aggregate { name, kind: kind(signed), value: Some(value), add }))
}

/// Adds to a total and counts: `[total, count]`.
pub fn add_to_mean(lowerer: &mut Lowerer<'_>, _: &ValueKind, element: VReg, value: Operand) {
    lowerer.increase(element, 0, value);
    lowerer.increase(element, 8, 1.into());
}

/// Keeps the more extreme value: `[value, is_set]`. `keeps` holds where the old value stays.
pub fn keep_extreme(lowerer: &mut Lowerer<'_>, element: VReg, value: Operand, keeps: Cmp) {
    let (compare, replace, done) = (lowerer.b.new_block(), lowerer.b.new_block(), lowerer.b.new_block());
    let is_set = lowerer.b.load(element, 8, Width::B8, false);
    lowerer.b.branch(Cmp::Ne, is_set, 0, compare, replace);
    lowerer.b.switch_to(compare);
    let old = lowerer.b.load(element, 0, Width::B8, false);
    lowerer.b.branch(keeps, old, value, done, replace);
    lowerer.b.switch_to(replace);
    lowerer.b.store(element, 0, Width::B8, value);
    lowerer.b.store(element, 8, Width::B8, 1);
    lowerer.b.jump(done);
    lowerer.b.switch_to(done);
}

/// Adds 1 to bucket `index` of `[sum, bucket 0, ..]`, and `value` to the sum. The index is below `buckets`, which the verifier
/// sees by a comparison that always holds.
pub fn add_to_bucket(lowerer: &mut Lowerer<'_>, element: VReg, value: Operand, index: Operand, buckets: u32) {
    lowerer.increase(element, 0, value);
    let (inside, done) = (lowerer.b.new_block(), lowerer.b.new_block());
    lowerer.b.branch(Cmp::ULt, index, i64::from(buckets), inside, done);
    lowerer.b.switch_to(inside);
    let offset = lowerer.b.shl(index, 3);
    let bucket = lowerer.b.add(element, offset);
    lowerer.increase(bucket, 8, 1.into());
    lowerer.b.jump(done);
    lowerer.b.switch_to(done);
}
