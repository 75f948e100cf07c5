//! `str_concat(a, b)`: two strings, one behind the other.

use super::Function;
use super::text::text_arg;
use crate::hir::Expr;
use crate::ir::{Cmp, Operand};
use crate::lower::{Fill, Lowerer, Place};
use crate::types::{Space, Ty};

/// The smallest value that is kept in scratch, where a string may start at any byte.
const IN_SCRATCH: u32 = 136;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "str_concat",
    signature: "str_concat(string a, string b)",
    summary: "The second string behind the first, cut off at `max_strlen`.",
    example: r#"begin { print(str_concat(comm, "!")); }"#,
    args: (2, 2),
    changes_system: false,
    check: |checker, call| {
        let first = text_arg(checker, call, 0);
        let second = text_arg(checker, call, 1);
        let (Some(first), Some(second)) = (first, second) else { return Expr::poison(call.span) };
        if let (Some(a), Some(b)) = (first.literal(), second.literal()) {
            return Expr::str(&format!("{a}{b}"), call.span);
        }
        let room = first.ty.size_in_c().saturating_add(second.ty.size_in_c());
        let ty = Ty::Str { size: room.min(checker.config.max_strlen.saturating_sub(1).max(1)) };
        let own = ty.clone();
        Expr::memory("str_concat", ty, call.span, move |lowerer, to, _| write(lowerer, to, &own, &first, &second))
    },
};

fn write(lowerer: &mut Lowerer<'_>, to: Place, ty: &Ty, first: &Expr, second: &Expr) {
    let size = ty.layout().size;
    let (first_size, second_size) = (first.ty.layout().size, second.ty.layout().size);
    let place = lowerer.temp((first_size + second_size + 8).max(size).max(IN_SCRATCH));
    lowerer.zero(place, (first_size + second_size).max(size));
    lowerer.write(first, place, &first.ty, Fill::Zeros);
    let from = lowerer.place(second);
    let length = lowerer.held_length(place, &first.ty);
    let fits = lowerer.b.new_block();
    lowerer.b.branch_if(Cmp::ULe, length, i64::from(first_size), fits);
    lowerer.b.assign(length, i64::from(first_size));
    lowerer.b.jump(fits);
    lowerer.b.switch_to(fits);
    let start = lowerer.address(place);
    let end = lowerer.b.add(start, length);
    let source = lowerer.address(from);
    // The kernel's string read ends at the NUL, and puts one behind what it cut off: it may read one byte more than there is room.
    lowerer.read_string(end.into(), second_size + 1, Operand::Reg(source), Space::Kernel, Fill::Any);
    lowerer.copy(place, to, size);
}
