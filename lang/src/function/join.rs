//! `join(array, separator)`: prints an array of strings.

use report::schema::EventKind;

use super::Function;
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::ir::{Cmp, Operand, Width};
use crate::lower::{Fill, HEADER, Lowerer, Place};
use crate::types::{Space, Ty};

/// The most strings that are joined.
const SLOTS: u32 = 16;
/// The most bytes of each, where `max_strlen` allows more.
const SLOT_BYTES: u32 = 1024;
/// Where the first string lies in the record, behind the count.
const FIRST: u32 = HEADER + 8;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "join",
    signature: r#"join(char *array[], const string separator = " ")"#,
    summary: "Prints the strings of an array that ends in a null pointer, at most 16, with a separator between them.",
    example: "tracepoint:syscalls:sys_enter_execve { join(args.argv); }",
    args: (1, 2),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let array = checker.address_arg(call, 0);
    let delimiter = match call.args.get(1) {
        Some(_) => checker.string_arg(call, 1),
        None => Some(" ".to_owned()),
    };
    let Some(delimiter) = delimiter else { return Expr::poison(call.span) };
    if array.ty.is_unknown() {
        return Expr::poison(call.span);
    }
    let space = match &array.ty {
        Ty::Pointer { space, .. } => *space,
        _ => Space::Any,
    };
    let slot_size = SLOT_BYTES.min(checker.config.max_strlen).next_multiple_of(8);
    let kind = EventKind::Join { delimiter, slots: SLOTS, slot_size };
    Expr::effect("join", call.span, move |lowerer| {
        let array = lowerer.scalar(&array);
        let size = FIRST + SLOTS * slot_size;
        lowerer.send(kind.clone(), size, |lowerer, record| fill(lowerer, record, array, space, slot_size));
    })
}

fn fill(lowerer: &mut Lowerer<'_>, record: Place, array: Operand, space: Space, slot_size: u32) {
    let done = lowerer.b.new_block();
    let count = lowerer.b.copy(0);
    let pointer = lowerer.temp(8);
    for index in 0..SLOTS {
        let at = lowerer.b.add(array, i64::from(index * 8));
        lowerer.store(pointer, &crate::types::U64, 0);
        lowerer.read_bytes(pointer, 8, at.into(), space);
        let string = lowerer.load(pointer, &crate::types::U64);
        lowerer.b.branch_if(Cmp::Eq, string, 0, done);
        lowerer.read_string(record.at(FIRST + index * slot_size), slot_size, string.into(), space, Fill::Any);
        lowerer.b.assign(count, i64::from(index + 1));
    }
    lowerer.b.jump(done);
    lowerer.b.switch_to(done);
    lowerer.b.store(record.base, record.at(HEADER).offset, Width::B8, count);
}
