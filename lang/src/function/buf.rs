//! `buf(data, length)`: bytes of memory.

use super::Function;
use super::bytes::{Bytes, bytes_arg};
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::ir::{Cmp, Operand, Width};
use crate::lower::{Fill, Lowerer, Place};
use crate::types::{Space, Ty};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "buf",
    signature: "buf(data, int length)",
    summary: "Bytes of memory, at most `max_strlen`, that print with `%r`, `%rx` and `%rh`. Of an array the length may be left out.",
    example: r#"tracepoint:syscalls:sys_enter_write { printf("%r\n", buf(args.buf, args.count)); }"#,
    args: (1, 2),
    changes_system: false,
    check,
};

/// Where the bytes are.
enum Data {
    At { address: Expr, space: Space },
    Held(Bytes),
}

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(arg) = call.args.first() else { return Expr::poison(call.span) };
    let value = checker.expr(arg);
    let length = call.args.get(1).map(|_| checker.integer_arg(call, 1));
    if value.ty.is_unknown() || length.as_ref().is_some_and(|length| length.ty.is_unknown()) {
        return Expr::poison(call.span);
    }
    let (data, held) = match &value.ty {
        Ty::Pointer { space, .. } => (Data::At { space: *space, address: value }, None),
        ty if ty.is_integer() => (Data::At { space: Space::Any, address: value }, None),
        _ => match bytes_arg(checker, call, 0, value) {
            Some(bytes) => {
                let size = bytes.size;
                (Data::Held(bytes), Some(size))
            }
            None => return Expr::poison(call.span),
        },
    };
    if held.is_none() && length.is_none() {
        return checker.error("E0521", call.span, "`buf` of an address needs a length");
    }
    let most = held.unwrap_or(u32::MAX).min(checker.config.max_strlen);
    let constant =
        length.as_ref().and_then(Expr::constant).map(|n| u32::try_from(n.max(0)).unwrap_or(u32::MAX).min(most));
    let capacity = constant.unwrap_or(most);
    let length = length.filter(|_| constant.is_none());
    Expr::memory("buf", Ty::Buf { capacity }, call.span, move |lowerer, to, fill| {
        write(lowerer, to, capacity, length.as_ref(), &data, fill);
    })
}

fn write(lowerer: &mut Lowerer<'_>, to: Place, capacity: u32, length: Option<&Expr>, data: &Data, fill: Fill) {
    let count = match length {
        None => Operand::Imm(i64::from(capacity)),
        Some(length) => {
            let length = lowerer.scalar(length);
            let count = lowerer.b.copy(length);
            let fits = lowerer.b.new_block();
            lowerer.b.branch_if(Cmp::ULe, count, i64::from(capacity), fits);
            lowerer.b.assign(count, i64::from(capacity));
            lowerer.b.jump(fits);
            lowerer.b.switch_to(fits);
            count.into()
        }
    };
    if fill == Fill::Zeros {
        lowerer.zero(to, Ty::Buf { capacity }.layout().size);
    }
    lowerer.b.store(to.base, to.offset, Width::B4, count);
    match data {
        Data::At { address, space } => {
            let address = lowerer.scalar(address);
            lowerer.read_counted(to.at(4), count, address, *space);
        }
        Data::Held(bytes) => {
            let from = bytes.place(lowerer);
            lowerer.copy(from, to.at(4), capacity);
        }
    }
}
