//! What functions that name numbers have in common: the number is what is kept and sent, its name is what prints.

use std::rc::Rc;

use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::ir::Cmp;
use crate::types::{EnumType, Ty};

/// The number that stands for all without a name.
const NAMELESS: i64 = -1;

/// The first argument as a number that prints as its name; `names` in the order of their numbers, from 0 on.
pub fn named(
    checker: &mut Checker<'_>,
    call: &Call<'_>,
    kind: &str,
    unknown: &str,
    names: Vec<(i64, &'static str)>,
) -> Expr {
    let number = checker.integer_arg(call, 0);
    if number.ty.is_unknown() {
        return Expr::poison(call.span);
    }
    let last = names.last().map_or(0, |(number, _)| *number);
    let mut variants = vec![(NAMELESS, unknown.to_owned())];
    let mut known = names.into_iter().peekable();
    for number in 0..=last {
        match known.next_if(|(next, _)| *next == number) {
            Some((_, name)) => variants.push((number, name.to_owned())),
            None => variants.push((number, unknown.to_owned())),
        }
    }
    let ty = Ty::Enum(Rc::new(EnumType { name: kind.to_owned(), bytes: 8, signed: true, variants, text: true }));
    Expr::scalar("name", ty, call.span, move |lowerer| {
        let number = lowerer.scalar(&number);
        let number = lowerer.b.copy(number);
        let done = lowerer.b.new_block();
        lowerer.b.branch_if(Cmp::ULe, number, last, done);
        lowerer.b.assign(number, NAMELESS);
        lowerer.b.jump(done);
        lowerer.b.switch_to(done);
        number.into()
    })
}
