//! `tseries(value, interval, intervals, fold)`: the values of the last intervals of time.

use std::rc::Rc;

use report::schema::ValueKind;
use report::series::{Fold, MAX_INTERVALS, WORDS};

use super::Function;
use super::aggregation::aggregate;
use crate::check::{Call, Checker};
use crate::hir::{Aggregate, Expr, Map};
use crate::ir::{BlockId, Cmp, Op, Operand, VReg, Width};
use crate::lower::Lowerer;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "tseries",
    signature: "tseries(int value, const int interval_ns, const int intervals, const string fold = last)",
    summary: "A value for each of the last intervals of time: the last one, or the `avg`, `max`, `min` or `sum` of all.",
    example: r#"tracepoint:raw_syscalls:sys_enter { @ = tseries(1, 1s, 30, "sum"); }"#,
    args: (3, 4),
    changes_system: false,
    check,
};

/// Where the words of an interval are, as [`report::series`] has them.
const VALUE: i32 = 8;
const REST: i32 = 16;

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let value = checker.integer_arg(call, 0);
    let fold = match call.args.get(3) {
        None => Some(Fold::Last),
        Some(_) => fold(checker, call),
    };
    let (Some(interval_ns), Some(intervals), Some(fold)) =
        (checker.constant_arg(call, 1, None), checker.constant_arg(call, 2, None), fold)
    else {
        return Expr::poison(call.span);
    };
    let problem = match (u64::try_from(interval_ns), u32::try_from(intervals)) {
        (Err(_) | Ok(0), _) => format!("tseries() interval_ns must be >= 1 ({interval_ns} provided)"),
        (_, Err(_) | Ok(0)) if intervals < 1 => format!("tseries() num_intervals must be >= 1 ({intervals} provided)"),
        (Ok(interval_ns), Ok(intervals @ 1..=MAX_INTERVALS)) => {
            let signed = value.ty.is_signed() && value.constant().is_none_or(|n| n < 0);
            let kind = ValueKind::Tseries { interval_ns, intervals, fold, signed };
            return aggregate(call, Rc::new(Aggregate { name: "tseries", kind, value: Some(value), add }));
        }
        _ => format!("tseries() num_intervals must be <= {MAX_INTERVALS} ({intervals} provided)"),
    };
    checker.error("E0523", call.span, problem)
}

fn fold(checker: &mut Checker<'_>, call: &Call<'_>) -> Option<Fold> {
    Some(match checker.string_arg(call, 3)?.as_str() {
        "avg" => Fold::Avg,
        "max" => Fold::Max,
        "min" => Fold::Min,
        "sum" => Fold::Sum,
        other => {
            let message = format!(
                "tseries() expects one of the following aggregation functions: avg, max, min, sum (\"{other}\" provided)"
            );
            checker.error("E0523", call.span, message);
            return None;
        }
    })
}

fn add(lowerer: &mut Lowerer<'_>, kind: &ValueKind, element: VReg, value: Operand) {
    let ValueKind::Tseries { interval_ns, intervals, fold, signed } = *kind else { return };
    let now = clock(lowerer);
    let b = &mut lowerer.b;
    let interval = b.bin(Op::UDiv, now, interval_ns.cast_signed());
    let number = b.add(interval, 1);
    let slot = b.bin(Op::UMod, interval, i64::from(intervals));
    let (inside, same, other, done) = (b.new_block(), b.new_block(), b.new_block(), b.new_block());
    // Always so, but the verifier does not see it of a remainder.
    b.branch(Cmp::ULt, slot, i64::from(intervals), inside, done);
    b.switch_to(inside);
    let offset = b.bin(Op::Mul, slot, i64::from(WORDS) * 8);
    let place = b.add(element, offset);
    let known = b.load(place, 0, Width::B8, false);
    b.branch(Cmp::Eq, known, number, same, other);

    b.switch_to(other);
    b.store(place, 0, Width::B8, number);
    b.store(place, VALUE, Width::B8, value);
    let rest = match fold {
        Fold::Last => now,
        Fold::Avg => 1.into(),
        Fold::Sum | Fold::Min | Fold::Max => 0.into(),
    };
    b.store(place, REST, Width::B8, rest);
    b.jump(done);

    b.switch_to(same);
    add_to_known(lowerer, (fold, signed), (place, value, now), done);
    lowerer.b.jump(done);
    lowerer.b.switch_to(done);
}

/// Adds to an interval that has been seen before.
fn add_to_known(
    lowerer: &mut Lowerer<'_>,
    (fold, signed): (Fold, bool),
    (place, value, now): (VReg, Operand, Operand),
    done: BlockId,
) {
    let keeps = match (fold, signed) {
        (Fold::Last, _) => {
            lowerer.b.store(place, VALUE, Width::B8, value);
            lowerer.b.store(place, REST, Width::B8, now);
            return;
        }
        (Fold::Sum, _) => return lowerer.increase(place, VALUE, value),
        (Fold::Avg, _) => {
            lowerer.increase(place, VALUE, value);
            return lowerer.increase(place, REST, 1.into());
        }
        (Fold::Min, true) => Cmp::SLe,
        (Fold::Min, false) => Cmp::ULe,
        (Fold::Max, true) => Cmp::SGe,
        (Fold::Max, false) => Cmp::UGe,
    };
    let replace = lowerer.b.new_block();
    let old = lowerer.b.load(place, VALUE, Width::B8, false);
    lowerer.b.branch(keeps, old, value, done, replace);
    lowerer.b.switch_to(replace);
    lowerer.b.store(place, VALUE, Width::B8, value);
}

/// The time: the node's, or what a map holds where the settings say so.
fn clock(lowerer: &mut Lowerer<'_>) -> Operand {
    let maps = &lowerer.unit.program.maps;
    let named = lowerer.unit.config.series_clock.as_ref();
    let found = named.and_then(|name| maps.iter().position(|map| map.name == *name && map.key.is_none()));
    match found.and_then(|index| u16::try_from(index).ok()) {
        Some(index) => {
            let ty = lowerer.map_info(Map(index)).value.clone();
            lowerer.map_scalar(Map(index), None, &ty)
        }
        None => lowerer.wall_clock().into(),
    }
}
